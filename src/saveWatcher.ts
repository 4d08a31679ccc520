import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFinding } from './contract';
import type { ISaveOptions } from './save';
import { NotebookSaves } from './save';

/** A finding in an open notebook, with the one who can do something about it. */
export interface ILiveFinding {
  saves: NotebookSaves;
  finding: IFinding;
  cellId: string;
}

/** Looks after every open notebook, and tells the rest of the page what was found in which cell. */
export class SaveWatcher {
  constructor(options: ISaveOptions & { tracker: INotebookTracker }) {
    this._options = options;
    options.tracker.forEach(panel => this._watch(panel));
    options.tracker.widgetAdded.connect((_, panel) => this._watch(panel));
  }

  /** Emitted with the notebook whose findings changed. */
  get changed(): ISignal<this, NotebookPanel> {
    return this._changed;
  }

  /** The open notebooks. */
  get panels(): NotebookPanel[] {
    return [...this._saves.keys()];
  }

  of(panel: NotebookPanel): NotebookSaves | null {
    return this._saves.get(panel) ?? null;
  }

  /** The open notebook with that path, or null. */
  find(path: string): NotebookSaves | null {
    return [...this._saves.values()].find(one => one.path === path) ?? null;
  }

  /** What stands in the source of a cell; nothing once its places are out of date. */
  inSource(cell: object): ILiveFinding[] {
    for (const [panel, saves] of this._saves) {
      const { sharedModel } = panel.context.model;
      const found = sharedModel.cells.find(one => one === cell);
      if (found) {
        const cellId = found.getId();
        return saves.isCurrent(cellId)
          ? saves
              .findingsOf(cellId)
              .filter(finding => finding.surface === 'source')
              .map(finding => ({ saves, finding, cellId }))
          : [];
      }
    }
    return [];
  }

  private _watch(panel: NotebookPanel): void {
    const saves = new NotebookSaves(panel.context, this._options);
    this._saves.set(panel, saves);
    saves.changed.connect(() => this._changed.emit(panel));
    panel.disposed.connect(() => {
      this._saves.delete(panel);
      saves.dispose();
    });
  }

  private _options: ISaveOptions;
  private _saves = new Map<NotebookPanel, NotebookSaves>();
  private _changed = new Signal<this, NotebookPanel>(this);
}
