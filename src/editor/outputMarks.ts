import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { shieldIcon } from '../icons';
import type { SaveWatcher } from '../saveWatcher';

const MARK = 'jp-Qsec-outputMark';

/** A mark beside each output in which the last save found something; it goes when the cell runs again. */
export class OutputMarks {
  constructor(
    private _watcher: SaveWatcher,
    private _trans: TranslationBundle,
    private _open: () => void
  ) {
    _watcher.changed.connect((_, panel) => this._update(panel));
  }

  private _update(panel: NotebookPanel): void {
    const saves = this._watcher.of(panel);
    if (!saves) {
      return;
    }
    for (const cell of panel.content.widgets) {
      const count = saves
        .findingsOf(cell.model.id)
        .filter(finding => finding.surface === 'output').length;
      this._mark(cell, count);
    }
  }

  private _mark(cell: Cell, count: number): void {
    const old = cell.node.querySelector(`.${MARK}`);
    if (count === 0 || cell.model.type !== 'code') {
      old?.remove();
      return;
    }
    const { outputs } = (cell as CodeCell).model;
    const text = this._trans._n(
      'A secret was found in this output. Show the findings.',
      '%1 secrets were found in this output. Show the findings.',
      count
    );
    const mark = (old ?? this._create(cell)) as HTMLElement | null;
    if (!mark) {
      return;
    }
    mark.title = text;
    mark.setAttribute('aria-label', text);
    if (!old) {
      const gone = () => {
        outputs.changed.disconnect(gone);
        mark.remove();
      };
      outputs.changed.connect(gone);
    }
  }

  private _create(cell: Cell): HTMLElement | null {
    const host = cell.node.querySelector('.jp-Cell-outputWrapper');
    if (!host) {
      // Not drawn yet: a notebook draws the cells that come into view.
      if (!this._awaited.has(cell)) {
        this._awaited.add(cell);
        void cell.ready.then(() => this._drawn(cell));
      }
      return null;
    }
    const mark = document.createElement('button');
    mark.type = 'button';
    mark.className = MARK;
    mark.addEventListener('click', this._open);
    shieldIcon.element({ container: mark });
    host.append(mark);
    return mark;
  }

  private _drawn(cell: Cell): void {
    this._watcher.panels
      .filter(panel => panel.content.widgets.includes(cell))
      .forEach(panel => this._update(panel));
  }

  private _awaited = new WeakSet<Cell>();
}
