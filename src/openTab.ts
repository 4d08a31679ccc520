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
   * Take a report in: outputs follow at once, authored parts are held for `redact`.
   *
   * Returns whether every output could follow.
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
      if (replacement.outputs && cell.cell_type === 'code') {
        if (this._changedOutputs.has(id)) {
          complete = false;
        } else {
          replaceOutputs(cell as ISharedCodeCell, replacement.outputs);
        }
      }
      if (isAuthored(replacement)) {
        const isStale = this._changedSources.has(id);
        this._authored.set(id, { replacement, isStale });
      }
    }
    this._releaseAllBut(new Set(this._authored.keys()));
    return complete;
  }

  /** Whether the author edited a cell that `redact` would replace. */
  get isStale(): boolean {
    return [...this._authored.values()].some(held => held.isStale);
  }

  /** Put the redacted form in the place of what the author wrote. */
  redact(): void {
    const held = new Map(this._authored);
    this.forget();
    for (const cell of this._notebook.cells) {
      const replacement = held.get(cell.getId())?.replacement;
      if (replacement) {
        replaceAuthored(cell, replacement);
      }
    }
  }

  /** Hold nothing back any more. */
  forget(): void {
    this._release();
    this._authored.clear();
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
    this._releaseAllBut(new Set());
    this._changedSources.clear();
    this._changedOutputs.clear();
  }

  private _releaseAllBut(ids: Set<string>): void {
    for (const cell of this._watched) {
      if (!ids.has(cell.getId())) {
        cell.changed.disconnect(this._onCellChanged, this);
      }
    }
    this._watched = this._watched.filter(cell => ids.has(cell.getId()));
  }

  private _notebook: ISharedNotebook;
  private _ids: string[] = [];
  private _watched: ISharedCell[] = [];
  private _changedSources = new Set<string>();
  private _changedOutputs = new Set<string>();
  private _authored = new Map<string, IAuthored>();
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
  const { source, metadata, attachments } = replacement;
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
