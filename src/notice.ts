import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFinding } from './contract';
import { placeOf } from './place';

/** Jupyter cuts a notification's text at this length (characters). */
const LONGEST_MESSAGE = 140;

/** The findings that were masked on disk; kept and merely reported ones need no choice. */
export function masked(findings: readonly IFinding[]): IFinding[] {
  return findings.filter(finding => finding.action === 'redacted');
}

/** Whether the open tab still holds a masked value, so that its author has a choice to make. */
export function needsChoice(findings: readonly IFinding[]): boolean {
  return masked(findings).some(finding => finding.surface !== 'output');
}

/** A text that is the same as long as the same secrets are found in the same cells. */
export function signature(findings: readonly IFinding[]): string {
  const open = findings.filter(finding => finding.action !== 'kept');
  const places = open.map(
    f => `${f.fingerprint}@${f.surface}@${f.cell_id ?? f.cell ?? ''}`
  );
  return [...new Set(places)].sort().join(' ');
}

/** Number and place of what was found, as short as a notification has to be. */
export function message(
  file: string,
  findings: readonly IFinding[],
  trans: TranslationBundle,
  blocked = false
): string {
  const found = blocked ? findings : masked(findings);
  const places = [...new Set(found.map(finding => placeOf(finding, trans)))];
  const short = file.length > 40 ? `${file.slice(0, 39)}…` : file;
  const head = blocked
    ? trans._n(
        '%2 was not saved: %1 secret may not be written',
        '%2 was not saved: %1 secrets may not be written',
        found.length,
        short
      )
    : trans._n(
        '%1 secret masked in the saved file %2',
        '%1 secrets masked in the saved file %2',
        found.length,
        short
      );
  const choice = blocked
    ? `\n${trans.__('Your work is still in this tab.')}`
    : needsChoice(findings)
      ? `\n${trans.__('The cells in this tab still hold it.')}`
      : '';
  for (let shown = places.length; shown > 0; shown--) {
    const rest = places.length - shown;
    const more = rest > 0 ? `; ${trans.__('%1 more', rest)}` : '';
    const text = `${head}:\n${places.slice(0, shown).join('; ')}${more}.${choice}`;
    if (text.length <= LONGEST_MESSAGE) {
      return text;
    }
  }
  return `${head}.`;
}

/** What to do about a notebook's notification after a save. */
export type Step = 'show' | 'leave' | 'dismiss';

/**
 * Decide it from the signatures of what is found now, what is on screen, and what its author chose to leave.
 *
 * The same findings are told once: neither an autosave nor a closed notification brings them back; any change does.
 */
export function step(now: string, shown: string, cancelled: string): Step {
  if (now === '') {
    return 'dismiss';
  }
  return now === shown || now === cancelled ? 'leave' : 'show';
}
