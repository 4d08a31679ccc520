import { Text } from '@codemirror/state';

import { rangeOf } from '../editor/position';
import { FindingsModel } from '../findings/model';
import { QsecModel } from '../model';
import { contentsOf } from '../share/preview';
import type { IRecordedFinding } from '../contract';
import { FakeServer, finding } from './samples';

const recorded = (changes: Partial<IRecordedFinding>): IRecordedFinding => ({
  ...finding(),
  id: 1,
  found_at: '2026-01-31T12:00:00.000Z',
  kept_reason: null,
  ...changes
});

const textAt = (doc: string, at: Parameters<typeof rangeOf>[0]) => {
  const text = Text.of(doc.split('\n'));
  const range = rangeOf(at, text);
  return range && text.sliceString(range.from, range.to);
};

describe('the range of a finding', () => {
  it('is what the columns say, from 1', () => {
    const at = finding({ line: 2, column: 6, end_column: 9 });
    expect(textAt('x\nkey="abc"', at)).toBe('abc');
  });

  it('counts code points, as Python does', () => {
    const at = finding({ line: 1, column: 5, end_column: 8 });
    expect(
      textAt('"😀"="abc"', finding({ ...at, column: 6, end_column: 9 }))
    ).toBe('abc');
  });

  it('ends before the quote when the finding does not say where', () => {
    const at = finding({ line: 1, column: 6, end_column: 0 });
    expect(textAt('key="abc", 1', at)).toBe('abc');
  });

  it('is nothing where the text has no such line', () => {
    expect(textAt('x', finding({ line: 4 }))).toBeNull();
  });
});

describe('findings in bulk', () => {
  let server: FakeServer;
  let model: FindingsModel;
  let state: QsecModel;

  beforeEach(async () => {
    server = new FakeServer();
    state = new QsecModel({ api: server });
    model = new FindingsModel(server, state, { find: () => null });
    server.current.findings = [
      recorded({ id: 1 }),
      recorded({ id: 2, fingerprint: 'f2', action: 'kept' })
    ];
    await model.refresh();
  });

  afterEach(() => {
    model.dispose();
    state.dispose();
  });

  it('keeps what is open, says how many, and takes it back', async () => {
    const keep = jest.spyOn(server, 'keep');
    const unkeep = jest.spyOn(server, 'unkeep');
    model.choose([1, 2], true);
    await model.keep('made up');
    expect(keep).toHaveBeenCalledWith('work/first.ipynb', ['f1'], 'made up');
    expect(model.done).toMatchObject({ what: 'kept', count: 1 });
    expect(model.chosen).toHaveLength(0);
    await model.undo();
    expect(unkeep).toHaveBeenCalledWith('work/first.ipynb', ['f1']);
    expect(model.done).toBeNull();
  });

  it('offers no replacement while no open notebook holds it', () => {
    model.choose([1], true);
    expect(model.mayReplace('marker')).toBe(false);
    expect(model.mayReplace('broker')).toBe(false);
  });

  it('shows a refusal and keeps the choice', async () => {
    jest.spyOn(server, 'keep').mockRejectedValue(new Error('refused'));
    model.choose([1], true);
    await model.keep('made up');
    expect(model.done).toBeNull();
    expect(model.problem).not.toBeNull();
    expect(model.chosen).toHaveLength(1);
  });
});

describe('the preview of a share', () => {
  it('counts what a copy would lose, and not what a notebook needs', () => {
    const contents = contentsOf({
      cells: [
        {
          cell_type: 'code',
          source: '1',
          execution_count: 3,
          metadata: { tags: ['a'], scrolled: true },
          outputs: [{ output_type: 'stream', name: 'stdout', text: '1' }]
        }
      ],
      metadata: {
        kernelspec: { name: 'python3', display_name: 'Python 3' },
        author: 'ada'
      },
      nbformat: 4,
      nbformat_minor: 5
    });
    expect(contents).toEqual({
      outputs: 1,
      executionCounts: 1,
      metadata: ['author', 'scrolled']
    });
  });
});
