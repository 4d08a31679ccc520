import type {
  CellChange,
  ISharedCell,
  ISharedCodeCell,
  ISharedMarkdownCell,
  ISharedNotebook,
  ISharedRawCell
} from '@jupyter/ydoc';
import type * as nbformat from '@jupyterlab/nbformat';

import type { ICellReplacement, IScanReport } from './scanReport';

/** What takes a secret's place: the marker, or a call that asks the broker for it. */
export type Form = 'marker' | 'broker';

/** One replaced source, so that it can be taken back. */
interface IReplaced {
  id: string;
  before: string;
  after: string;
}

/** The redacted form of what the author wrote, held back until the author chooses it. */
interface IAuthored {
  replacement: ICellReplacement;
  /** The author went on editing since the save, so the replacement would lose work. */
  isStale: boolean;
}

/**
 * The cells of an open notebook, over the time from a save to the choice of its author.
 *
 * A save's report speaks of the cells as they were when the save began. They may have moved, changed or gone by the
 * time it arrives: cells are found again by id, and what changed in between is left alone for the next save to tell.
 */
export class OpenTab {
  constructor(notebook: ISharedNotebook) {
    this._notebook = notebook;
  }

  /** Remember which cell is which; call it when a save begins. */
  begin(): void {
    this._release();
    this._ids = this._notebook.cells.map(cell => cell.getId());
    this._watched = [...this._notebook.cells];
    for (const cell of this._watched) {
      cell.changed.connect(this._onCellChanged, this);
    }
  }

  /**
   * Take a report in: outputs follow at once, authored parts are held for `replace`.
   *
   * A save that was blocked has changed no file, so its outputs are held as well. Returns whether every output
   * could follow.
   */
  take(report: IScanReport): boolean {
    let complete = true;
    this._authored.clear();
    const cells = new Map(
      this._notebook.cells.map(cell => [cell.getId(), cell])
    );
    for (const [index, replacement] of Object.entries(report.cells)) {
      const id = this._ids[Number(index)];
      const cell = cells.get(id);
      if (!cell) {
        continue;
      }
      if (replacement.outputs && !report.blocked && cell.cell_type === 'code') {
        if (this._changedOutputs.has(id)) {
          complete = false;
        } else {
          replaceOutputs(cell as ISharedCodeCell, replacement.outputs);
        }
      }
      if (isAuthored(replacement) || report.blocked) {
        const isStale =
          this._changedSources.has(id) ||
          (report.blocked && this._changedOutputs.has(id));
        const outputs = report.blocked ? replacement.outputs : undefined;
        this._authored.set(id, {
          replacement: { ...replacement, outputs },
          isStale
        });
      }
    }
    return complete;
  }

  /** Whether the author edited a cell that `replace` would touch. */
  isStale(ids?: ReadonlySet<string>): boolean {
    return this._chosen(ids).some(([, held]) => held.isStale);
  }

  /** Whether a cell has changed since the last save began, so that places in it are not what they were. */
  hasChanged(id: string): boolean {
    return this._changedSources.has(id);
  }

  /** The id that a cell of the saved file has here. */
  idAt(index: number | null): string | null {
    return index === null ? null : (this._ids[index] ?? null);
  }

  /** Whether that form is ready for one of these cells. */
  offers(form: Form, ids?: ReadonlySet<string>): boolean {
    return this._chosen(ids).some(([, { replacement }]) => {
      return form === 'marker' || replacement.broker !== undefined;
    });
  }

  /** Put a form in the place of what the author wrote, in these cells or in all; returns how many changed. */
  replace(form: Form, ids?: ReadonlySet<string>): number {
    const held = new Map(this._chosen(ids));
    this._replaced = [];
    let changed = 0;
    for (const cell of this._notebook.cells) {
      const id = cell.getId();
      const replacement = held.get(id)?.replacement;
      if (!replacement || (form === 'broker' && !replacement.broker)) {
        continue;
      }
      this._authored.delete(id);
      const before = cell.getSource();
      if (form === 'broker') {
        cell.setSource(replacement.broker as string);
      } else {
        replaceAuthored(cell, replacement);
      }
      changed += 1;
      this._replaced.push({ id, before, after: cell.getSource() });
    }
    return changed;
  }

  /** Take the last replacement of sources back, in cells that were not edited since; returns how many. */
  undo(): number {
    const replaced = new Map(this._replaced.map(one => [one.id, one]));
    this._replaced = [];
    let changed = 0;
    for (const cell of this._notebook.cells) {
      const one = replaced.get(cell.getId());
      if (one && one.before !== one.after && cell.getSource() === one.after) {
        cell.setSource(one.before);
        changed += 1;
      }
    }
    return changed;
  }

  /** Hold nothing back any more. */
  forget(): void {
    this._release();
    this._authored.clear();
    this._replaced = [];
  }

  private _chosen(ids?: ReadonlySet<string>): Array<[string, IAuthored]> {
    return [...this._authored].filter(([id]) => !ids || ids.has(id));
  }

  private _onCellChanged(cell: ISharedCell, change: CellChange): void {
    const id = cell.getId();
    if (change.sourceChange || change.metadataChange) {
      this._changedSources.add(id);
      const held = this._authored.get(id);
      if (held) {
        held.isStale = true;
      }
    }
    if (change.outputsChange || change.streamOutputChange) {
      this._changedOutputs.add(id);
    }
  }

  private _release(): void {
    for (const cell of this._watched) {
      cell.changed.disconnect(this._onCellChanged, this);
    }
    this._watched = [];
    this._changedSources.clear();
    this._changedOutputs.clear();
  }

  private _notebook: ISharedNotebook;
  private _ids: string[] = [];
  private _watched: ISharedCell[] = [];
  private _changedSources = new Set<string>();
  private _changedOutputs = new Set<string>();
  private _authored = new Map<string, IAuthored>();
  private _replaced: IReplaced[] = [];
}

/**
 * Empty first, then fill: in one change the notebook's view would append the new stream text to the old one, which
 * stands there until the deletion behind it is applied.
 */
function replaceOutputs(
  cell: ISharedCodeCell,
  outputs: nbformat.IOutput[]
): void {
  cell.setOutputs([]);
  cell.setOutputs(outputs);
}

function isAuthored(replacement: ICellReplacement): boolean {
  const { source, metadata, attachments } = replacement;
  return (
    source !== undefined || metadata !== undefined || attachments !== undefined
  );
}

function replaceAuthored(
  cell: ISharedCell,
  replacement: ICellReplacement
): void {
  const { source, outputs, metadata, attachments } = replacement;
  if (outputs !== undefined && cell.cell_type === 'code') {
    replaceOutputs(cell as ISharedCodeCell, outputs);
  }
  if (source !== undefined) {
    cell.setSource(source);
  }
  if (metadata !== undefined) {
    cell.setMetadata(metadata as nbformat.IBaseCellMetadata);
  }
  if (attachments !== undefined && cell.cell_type !== 'code') {
    (cell as ISharedMarkdownCell | ISharedRawCell).setAttachments(attachments);
  }
}
