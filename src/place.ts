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
