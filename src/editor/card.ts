import type { TranslationBundle } from '@jupyterlab/translation';

import { actionOf } from '../place';
import { saySeverity } from '../sayings';
import type { ILiveFinding } from '../saveWatcher';
import { sayServer } from '../serverTexts';

/** What a finding is and what can be done about it, as a card beside the text; built without React, as editors are. */
export function findingCard(
  found: readonly ILiveFinding[],
  trans: TranslationBundle,
  close: () => void
): HTMLElement {
  const card = element('div', 'jp-Qsec-card');
  card.setAttribute('role', 'dialog');
  card.setAttribute('aria-label', trans.__('Secret found'));
  card.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
  });
  found.forEach(live => card.append(part(live, trans, close)));
  return card;
}

function part(
  live: ILiveFinding,
  trans: TranslationBundle,
  close: () => void
): HTMLElement {
  const { finding, saves } = live;
  const host = element('div', 'jp-Qsec-cardPart');
  const head = element('div', 'jp-Qsec-cardHead');
  head.append(
    element('strong', '', sayServer(finding.title, trans)),
    element(
      'span',
      `jp-Qsec-severity jp-mod-${finding.severity}`,
      saySeverity(finding.severity, trans)
    )
  );
  const state = saves.isBlocked
    ? trans.__('Not saved: it may not be written')
    : actionOf(finding, trans);
  host.append(
    head,
    element('div', 'jp-Qsec-cardState', state),
    element('p', 'jp-Qsec-cardRemedy', sayServer(finding.remedy, trans)),
    actions(live, trans, close)
  );
  return host;
}

function actions(
  live: ILiveFinding,
  trans: TranslationBundle,
  close: () => void
): HTMLElement {
  const { saves, finding, cellId } = live;
  const cells = new Set([cellId]);
  const row = element('div', 'jp-Qsec-cardActions');
  const add = (label: string, act: () => Promise<unknown>, primary = false) => {
    const button = element('button', 'jp-Qsec-button', label);
    button.setAttribute('type', 'button');
    button.classList.toggle('jp-mod-primary', primary);
    button.addEventListener('click', () => {
      close();
      void act();
    });
    row.append(button);
  };
  if (finding.action === 'kept') {
    add(trans.__('Take back'), () => saves.unkeep([finding.fingerprint]));
    return row;
  }
  const offersBroker = saves.offers('broker', cells);
  if (offersBroker) {
    const label = trans.__('Replace by a broker call');
    add(label, () => saves.replace('broker', cells), true);
  }
  if (saves.offers('marker', cells)) {
    const label = trans.__('Redact');
    add(label, () => saves.replace('marker', cells), !offersBroker);
  }
  if (saves.mayKeep) {
    add(trans.__('Keep with a reason…'), () => saves.keep([finding]));
  }
  return row;
}

function element(tag: string, className: string, text = ''): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}
