import type { ISharedCodeCell } from '@jupyter/ydoc';
import { Notification } from '@jupyterlab/apputils';
import type { CodeCellModel } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { NotebookModel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { Problem } from '../problem';
import type { SaveContext } from '../save';
import { NotebookSaves } from '../save';
import type { IScanReport } from '../scanReport';
import { finding, report } from './samples';

const SECRET = 'not-a-real-secret-0123456789';
const MARKER = '[redacted: ibm-quantum-token]';

/**
 * A real notebook model with a disk that behaves as the server does: a secret is written as its marker unless kept.
 */
class Disk {
  readonly model = new NotebookModel();
  readonly path = 'work/first.ipynb';
  readonly saveState = new Signal<this, DocumentRegistry.SaveState>(this);
  readonly kept = new Set<string>();
  written = '';
  reverts = 0;
  saves = 0;
  scanFails: Error | null = null;
  metadataFinding = false;
  /** A call that fits in the place of a whole cell. */
  broker = '';
  /** The data class lets no secret be written. */
  blocks = false;

  async save(): Promise<void> {
    this.saves += 1;
    this.saveState.emit('started');
    this._report = this._scan();
    if (this.blocks && this._report.findings.length > 0) {
      this._report.blocked = true;
      this._report.findings.forEach(one => (one.action = 'reported'));
      this.saveState.emit('failed');
      await settle();
      return;
    }
    this.written = this._redacted(JSON.stringify(this.model.toJSON()));
    this.model.dirty = false;
    this.saveState.emit('completed');
    await settle();
  }

  async revert(): Promise<void> {
    this.reverts += 1;
  }

  async scan(path: string): Promise<IScanReport> {
    expect(path).toBe('work/first.ipynb');
    if (this.scanFails) {
      throw this.scanFails;
    }
    return this._report;
  }

  async keep(_: string, fingerprints: readonly string[]): Promise<IScanReport> {
    fingerprints.forEach(one => this.kept.add(one));
    return this._report;
  }

  async unkeep(
    _: string,
    fingerprints: readonly string[]
  ): Promise<IScanReport> {
    fingerprints.forEach(one => this.kept.delete(one));
    return this._report;
  }

  private _redacted(text: string): string {
    return this.kept.has('f1') ? text : text.split(SECRET).join(MARKER);
  }

  private _scan(): IScanReport {
    const result = report();
    const action = this.kept.has('f1') ? 'kept' : 'redacted';
    [...this.model.sharedModel.cells].forEach((cell, index) => {
      const at = { cell: index, cell_id: cell.getId(), action } as const;
      const source = cell.getSource();
      const outputs = 'getOutputs' in cell ? cell.getOutputs() : [];
      const parts: IScanReport['cells'][string] = {};
      if (source.includes(SECRET)) {
        result.findings.push(finding(at));
        parts.source = this._redacted(source);
        if (this.broker) {
          parts.broker = this.broker;
        }
      }
      if (JSON.stringify(outputs).includes(SECRET)) {
        result.findings.push(finding({ ...at, surface: 'output' }));
        parts.outputs = JSON.parse(this._redacted(JSON.stringify(outputs)));
      }
      if (action === 'redacted' && Object.keys(parts).length > 0) {
        result.cells[String(index)] = parts;
      }
    });
    if (this.metadataFinding) {
      result.findings.push(
        finding({ surface: 'metadata', cell: null, cell_id: null })
      );
    }
    return result;
  }

  private _report = report();
}

const settle = () => new Promise(resolve => setTimeout(resolve, 0));

let disk: Disk;
let saves: NotebookSaves;
let mayKeep = true;

const shared = () => disk.model.sharedModel;
const shown = () => Notification.manager.notifications;
const press = async (label: string) => {
  const action = shown()[0].options.actions?.find(a => a.label === label);
  expect(action).toBeDefined();
  action?.callback(new MouseEvent('click'));
  await settle();
  await settle();
};

beforeEach(() => {
  disk = new Disk();
  saves = new NotebookSaves(disk as unknown as SaveContext, {
    api: disk,
    contents: { localPath: path => path },
    trans: nullTranslator.load('qsec_jupyter'),
    mayKeep: () => mayKeep
  });
  mayKeep = true;
  shared().deleteCellRange(0, shared().cells.length);
  shared().addCell({ id: 'a', cell_type: 'code', source: '1 + 1' });
});

afterEach(() => {
  saves.dispose();
  Notification.dismiss();
});

function paste(id: string): void {
  shared().addCell({ id, cell_type: 'code', source: `token = "${SECRET}"` });
}

function print(id: string): void {
  const outputs = [{ output_type: 'stream', name: 'stdout', text: SECRET }];
  shared().addCell({ id, cell_type: 'code', source: 'old()', outputs });
}

describe('a save', () => {
  it('without findings says nothing', async () => {
    await disk.save();
    expect(shown()).toHaveLength(0);
    expect(disk.model.dirty).toBe(false);
  });

  it('brings outputs in step at once and leaves the tab clean', async () => {
    print('o');
    await disk.save();
    const expected = [{ output_type: 'stream', name: 'stdout', text: MARKER }];
    const drawn = disk.model.cells.get(1) as CodeCellModel;
    expect((shared().getCell(1) as ISharedCodeCell).getOutputs()).toEqual(
      expected
    );
    expect(drawn.outputs.toJSON()).toEqual(expected);
    expect(disk.model.dirty).toBe(false);
    expect(shown()[0].type).toBe('info');
    expect(shown()[0].message).toContain('output of cell 2');
  });

  it('offers three choices for what the author wrote, naming number and place', async () => {
    paste('s');
    print('o');
    await disk.save();
    expect(shown()).toHaveLength(1);
    expect(shown()[0].message).toContain('2 secrets');
    expect(shown()[0].message).toContain('cell 2, line 3; output of cell 3');
    const labels = shown()[0].options.actions?.map(action => action.label);
    expect(labels).toEqual(['Redact', 'Keep with a reason…', 'Cancel']);
    expect(shared().getCell(1).getSource()).toContain(SECRET);
    expect(disk.written).not.toContain(SECRET);
  });

  it('shows one notification for a notebook, also after autosaves and new findings', async () => {
    paste('s');
    await disk.save();
    const first = shown()[0].id;
    await disk.save();
    await disk.save();
    expect(shown().map(n => n.id)).toEqual([first]);
    paste('t');
    await disk.save();
    expect(shown().map(n => n.id)).toEqual([first]);
    expect(shown()[0].message).toContain('2 secrets');
  });

  it('takes the notification away when the author removed the secret by hand', async () => {
    paste('s');
    await disk.save();
    shared().getCell(1).setSource('token = input()');
    await disk.save();
    expect(shown()).toHaveLength(0);
  });
});

describe('Redact', () => {
  it('puts the marker in the cell, saves, and leaves a clean tab', async () => {
    paste('s');
    await disk.save();
    await press('Redact');
    expect(shared().getCell(1).getSource()).toBe(`token = "${MARKER}"`);
    expect(disk.saves).toBe(2);
    expect(disk.model.dirty).toBe(false);
    expect(shown().map(n => n.type)).toEqual(['success']);
  });

  it('loses no edit that was made after the save', async () => {
    paste('s');
    await disk.save();
    shared().getCell(1).setSource(`token = "${SECRET}"\nprecious = 42`);
    await press('Redact');
    await settle();
    expect(shared().getCell(1).getSource()).toBe(
      `token = "${MARKER}"\nprecious = 42`
    );
    expect(disk.written).toContain('precious');
    expect(shown().map(n => n.type)).toEqual(['success']);
  });

  it('can be undone in the tab; the file keeps the marker', async () => {
    shared().getCell(0).setSource(`x = "${SECRET}"`);
    await disk.save();
    await press('Redact');
    expect(shared().getCell(0).getSource()).toContain(MARKER);
    await press('Undo');
    expect(shared().getCell(0).getSource()).toContain(SECRET);
    expect(disk.written).not.toContain(SECRET);
    expect(disk.model.dirty).toBe(true);
  });

  it('reads the file again for a secret outside of the cells', async () => {
    disk.metadataFinding = true;
    await disk.save();
    await press('Redact');
    expect(disk.reverts).toBe(1);
  });
});

describe('Replace by a broker call', () => {
  const CALL = 'x = qsec.credential("ibm").reveal()';

  it('is offered first, where the report has a call ready, and saves', async () => {
    disk.broker = CALL;
    shared().getCell(0).setSource(`x = "${SECRET}"`);
    await disk.save();
    expect(shown()[0].options.actions?.[0].label).toBe(
      'Replace by a broker call'
    );
    await press('Replace by a broker call');
    expect(shared().getCell(0).getSource()).toBe(CALL);
    expect(disk.written).toContain('qsec.credential');
    expect(disk.model.dirty).toBe(false);
    expect(saves.findings).toHaveLength(0);
  });

  it('is not offered where no call fits', async () => {
    shared().getCell(0).setSource(`x = "${SECRET}"`);
    await disk.save();
    expect(shown()[0].options.actions?.map(a => a.label)).not.toContain(
      'Replace by a broker call'
    );
  });
});

describe('a blocked save', () => {
  beforeEach(() => {
    disk.blocks = true;
  });

  it('says so, loses nothing, and saves what was redacted', async () => {
    shared().getCell(0).setSource(`x = "${SECRET}"`);
    await disk.save();
    expect(disk.written).toBe('');
    expect(shared().getCell(0).getSource()).toContain(SECRET);
    expect(disk.model.dirty).toBe(true);
    expect(shown()[0].type).toBe('error');
    expect(shown()[0].message).toContain('not saved');
    await press('Redact');
    expect(disk.written).toContain(MARKER);
    expect(disk.model.dirty).toBe(false);
  });

  it('offers to keep only where policy lets it', async () => {
    mayKeep = false;
    shared().getCell(0).setSource(`x = "${SECRET}"`);
    await disk.save();
    const labels = shown()[0].options.actions?.map(a => a.label);
    expect(labels).toEqual(['Redact', 'Cancel']);
  });

  it('tells nothing of an older report when a save fails for another reason', async () => {
    disk.saveState.emit('failed');
    await settle();
    expect(shown()).toHaveLength(0);
  });
});

describe('Cancel', () => {
  it('leaves the tab and is not asked again until the findings change', async () => {
    paste('s');
    await disk.save();
    await press('Cancel');
    expect(shared().getCell(1).getSource()).toContain(SECRET);
    await disk.save();
    await disk.save();
    expect(shown()).toHaveLength(0);
    paste('t');
    await disk.save();
    expect(shown()).toHaveLength(1);
  });
});

describe('Keep with a reason', () => {
  async function answer(reason: string, accept: boolean): Promise<void> {
    await press('Keep with a reason…');
    await settle();
    const dialog = document.querySelector('.jp-Dialog');
    const input = dialog?.querySelector<HTMLInputElement>(
      '.jp-Qsec-keepReason'
    );
    expect(input).toBeTruthy();
    input!.value = reason;
    input!.dispatchEvent(new Event('input', { bubbles: true }));
    dialog
      ?.querySelector<HTMLElement>(accept ? '.jp-mod-warn' : '.jp-mod-reject')
      ?.click();
    for (let i = 0; i < 5; i++) {
      await settle();
    }
  }

  it('records the reason and saves again, so that the value is written', async () => {
    paste('s');
    await disk.save();
    await answer('made up for the docs', true);
    expect(disk.kept).toEqual(new Set(['f1']));
    expect(disk.written).toContain(SECRET);
    expect(shown()).toHaveLength(0);
  });

  it('keeps nothing when the dialog is cancelled, and offers the choices again', async () => {
    paste('s');
    await disk.save();
    await answer('whatever', false);
    expect(disk.kept.size).toBe(0);
    expect(disk.written).not.toContain(SECRET);
    expect(shown()).toHaveLength(1);
  });
});

describe('faults', () => {
  it('a report that cannot be had costs nothing but the notification', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation();
    disk.scanFails = new Problem({ code: 'x', title: 'x', status: 503 });
    paste('s');
    await disk.save();
    expect(shared().getCell(1).getSource()).toContain(SECRET);
    expect(shown()).toHaveLength(0);
    const ours = warn.mock.calls.filter(([text]) =>
      String(text).startsWith('qsec-jupyter')
    );
    expect(ours).toHaveLength(1);
    warn.mockRestore();
  });

  it('what was not scanned is said once', async () => {
    const unscanned = [{ surface: 'file', why: 'larger than 512 MB' }];
    jest.spyOn(disk, 'scan').mockResolvedValue(report({ unscanned }));
    await disk.save();
    await disk.save();
    expect(shown()).toHaveLength(1);
    expect(shown()[0].message).toContain('larger than 512 MB');
  });

  it('a disposed notebook follows no report', async () => {
    paste('s');
    saves.dispose();
    await disk.save();
    expect(shown()).toHaveLength(0);
  });
});
