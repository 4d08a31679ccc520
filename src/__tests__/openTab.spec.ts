import type { ISharedCodeCell } from '@jupyter/ydoc';
import { YNotebook } from '@jupyter/ydoc';

import { OpenTab } from '../openTab';
import { report } from './samples';

const SECRET = 'not-a-real-secret-0123456789';
const MARKER = '[redacted: ibm-quantum-token]';

function stream(text: string) {
  return { output_type: 'stream', name: 'stdout', text };
}

let notebook: YNotebook;
let tab: OpenTab;

const code = (index: number) => notebook.getCell(index) as ISharedCodeCell;
const outputs = (index: number) => JSON.stringify(code(index).getOutputs());

beforeEach(() => {
  notebook = new YNotebook();
  for (const id of ['a', 'b', 'c']) {
    notebook.addCell({
      id,
      cell_type: 'code',
      source: `token = "${SECRET}"  # ${id}`,
      outputs: [stream(`${SECRET} of ${id}`)]
    });
  }
  tab = new OpenTab(notebook);
  tab.begin();
});

afterEach(() => notebook.dispose());

const found = report({
  cells: {
    '0': { outputs: [stream(`${MARKER} of a`)] },
    '1': { source: `token = "${MARKER}"`, outputs: [stream(MARKER)] }
  }
});

describe('OpenTab', () => {
  it('replaces outputs at once and leaves what the author wrote', () => {
    expect(tab.take(found)).toBe(true);
    expect(outputs(0)).toContain(MARKER);
    expect(outputs(0)).not.toContain(SECRET);
    expect(outputs(1)).not.toContain(SECRET);
    expect(outputs(2)).toContain(SECRET);
    expect(code(1).getSource()).toContain(SECRET);
  });

  it('replaces the source when the author chooses so, and that cell only', () => {
    tab.take(found);
    tab.replace('marker');
    expect(code(1).getSource()).toBe(`token = "${MARKER}"`);
    expect(code(0).getSource()).toContain(SECRET);
    expect(code(2).getSource()).toContain(SECRET);
  });

  it('finds a cell that moved since the save by its id', () => {
    notebook.moveCell(1, 2);
    notebook.insertCell(0, { id: 'new', cell_type: 'code', source: '1' });
    tab.take(found);
    tab.replace('marker');
    expect(notebook.cells.map(cell => cell.getId())).toEqual([
      'new',
      'a',
      'c',
      'b'
    ]);
    expect(code(3).getSource()).toBe(`token = "${MARKER}"`);
    expect(code(2).getSource()).toContain(SECRET);
  });

  it('leaves outputs alone that came while the save was under way', () => {
    code(0).setOutputs([stream('fresh result')]);
    expect(tab.take(found)).toBe(false);
    expect(outputs(0)).toContain('fresh result');
    expect(outputs(1)).toContain(MARKER);
  });

  it('knows that a cell was edited before or after the report came', () => {
    code(1).setSource('edited during the save');
    tab.take(found);
    expect(tab.isStale()).toBe(true);

    tab.begin();
    tab.take(found);
    expect(tab.isStale()).toBe(false);
    code(1).setSource('edited after the report');
    expect(tab.isStale()).toBe(true);
  });

  it('does not care about edits of other cells', () => {
    tab.take(found);
    code(2).setSource('something else');
    expect(tab.isStale()).toBe(false);
  });

  it('does nothing for a cell that was deleted meanwhile', () => {
    notebook.deleteCell(1);
    tab.take(found);
    tab.replace('marker');
    expect(notebook.cells.map(cell => cell.getId())).toEqual(['a', 'c']);
    expect(code(1).getSource()).toContain(SECRET);
  });

  it('replaces metadata and attachments with the source', () => {
    notebook.addCell({
      id: 'm',
      cell_type: 'markdown',
      source: 'see',
      metadata: { note: SECRET },
      attachments: { x: { 'text/plain': SECRET } }
    });
    tab.begin();
    tab.take(
      report({
        cells: {
          '3': {
            metadata: { note: MARKER },
            attachments: { x: { 'text/plain': MARKER } }
          }
        }
      })
    );
    expect(JSON.stringify(notebook.getCell(3).toJSON())).toContain(SECRET);
    tab.replace('marker');
    const text = JSON.stringify(notebook.getCell(3).toJSON());
    expect(text).toContain(MARKER);
    expect(text).not.toContain(SECRET);
  });

  it('forgets what it held back', () => {
    tab.take(found);
    tab.forget();
    tab.replace('marker');
    expect(code(1).getSource()).toContain(SECRET);
  });
});
