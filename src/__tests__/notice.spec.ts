import { nullTranslator } from '@jupyterlab/translation';

import { masked, message, needsChoice, signature, step } from '../notice';
import { finding } from './samples';

const trans = nullTranslator.load('qsec_jupyter');

describe('message', () => {
  it('says how many and where, counted from 1', () => {
    const found = [finding(), finding({ surface: 'output', cell: 4 })];
    expect(message('first.ipynb', found, trans)).toBe(
      '2 secrets masked in the saved file first.ipynb:\n' +
        'cell 2, line 3; output of cell 5.\nThe cells in this tab still hold it.'
    );
  });

  it('stays within what Jupyter shows, whatever is found', () => {
    for (const count of [1, 5, 50, 5000]) {
      const found = Array.from({ length: count }, (_, cell) =>
        finding({ cell, surface: 'attachments-of-a-long-name' })
      );
      const text = message(`${'long-'.repeat(30)}.ipynb`, found, trans);
      expect(text.length).toBeLessThanOrEqual(140);
      expect(text).toContain(String(count));
    }
  });

  it('asks for a choice only when the tab still holds a value', () => {
    expect(needsChoice([finding({ surface: 'output' })])).toBe(false);
    expect(needsChoice([finding({ action: 'kept' })])).toBe(false);
    expect(needsChoice([finding()])).toBe(true);
    expect(masked([finding({ action: 'reported' })])).toEqual([]);
  });
});

describe('signature and step', () => {
  const one = signature([finding()]);

  it('does not change when lines move, and does when a cell or value is added', () => {
    expect(signature([finding({ line: 9, cell: 7 })])).toBe(one);
    expect(signature([finding(), finding({ cell_id: 'c' })])).not.toBe(one);
    expect(signature([finding({ fingerprint: 'f2' })])).not.toBe(one);
    expect(signature([finding({ action: 'kept' })])).toBe('');
  });

  it.each([
    ['a first finding is shown', one, '', '', 'show'],
    [
      'an autosave with the same findings changes nothing',
      one,
      one,
      '',
      'leave'
    ],
    ['what was cancelled is not brought back', one, '', one, 'leave'],
    ['another finding after a cancel is shown', `${one} x`, '', one, 'show'],
    ['nothing left takes it away', '', one, '', 'dismiss']
  ])('%s', (_, now, shown, cancelled, expected) => {
    expect(step(now, shown, cancelled)).toBe(expected);
  });
});
