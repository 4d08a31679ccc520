import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFinding } from './contract';

/** Where a finding is, as people count: from 1. */
export function placeOf(finding: IFinding, trans: TranslationBundle): string {
  if (typeof finding.cell !== 'number') {
    return trans.__('notebook %1', finding.surface);
  }
  const cell = finding.cell + 1;
  switch (finding.surface) {
    case 'source':
      return trans.__('cell %1, line %2', cell, finding.line);
    case 'output':
      return trans.__('output of cell %1', cell);
    default:
      return trans.__('%1 of cell %2', finding.surface, cell);
  }
}

/** What became of a finding, in words. */
export function actionOf(
  finding: IFinding & { kept_reason?: string | null },
  trans: TranslationBundle
): string {
  switch (finding.action) {
    case 'redacted':
      return trans.__('Masked in the file');
    case 'kept':
      return finding.kept_reason
        ? trans.__('Kept: %1', finding.kept_reason)
        : trans.__('Kept');
    default:
      return trans.__('Reported only');
  }
}
