import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IQsecApi } from './api';
import type { IFinding } from './contract';
import { askToKeep } from './keepDialog';
import { masked, message, needsChoice, signature, step } from './notice';
import { OpenTab } from './openTab';
import { Problem } from './problem';
import type { IScanReport } from './scanReport';

export interface ISaveOptions {
  api: Pick<IQsecApi, 'scan' | 'keep'>;
  contents: Pick<Contents.IManager, 'localPath'>;
  trans: TranslationBundle;
}

/** Looks after every open notebook. */
export class SaveWatcher {
  constructor(options: ISaveOptions & { tracker: INotebookTracker }) {
    const watch = (panel: NotebookPanel) => {
      const guard = new NotebookSaves(panel.context, options);
      panel.disposed.connect(() => guard.dispose());
    };
    options.tracker.forEach(watch);
    options.tracker.widgetAdded.connect((_, panel) => watch(panel));
  }
}

/** The part of a notebook's context that saving touches. */
export type SaveContext = Pick<
  NotebookPanel['context'],
  'path' | 'model' | 'saveState' | 'save' | 'revert'
>;

/**
 * One notebook: after each save its tab follows the file, and its author is asked about what the author wrote.
 *
 * The file on disk is safe before any of this runs. Whatever fails here costs a notification, never a save.
 */
export class NotebookSaves {
  constructor(context: SaveContext, options: ISaveOptions) {
    this._context = context;
    this._options = options;
    this._tab = new OpenTab(context.model.sharedModel);
    context.saveState.connect(this._onSaveState, this);
  }

  dispose(): void {
    this._isDisposed = true;
    this._context.saveState.disconnect(this._onSaveState, this);
    this._tab.forget();
    this._dismiss();
  }

  /** Replace the author's cells by their redacted form, then save. */
  async redact(): Promise<void> {
    this._dismiss();
    if (this._tab.isStale) {
      // The cells went on changing: the report of a save made now fits them.
      this._next = 'redact';
    } else {
      this._tab.redact();
      this._next = 'compare';
    }
    await this._save();
  }

  /** Ask which values stay and why, record it, and save again so that they are written. */
  async keep(): Promise<void> {
    const { api, trans } = this._options;
    const path = this._path;
    this._dismiss();
    const authored = masked(this._findings).filter(f => f.surface !== 'output');
    const choice = await askToKeep(authored, trans);
    if (!choice) {
      this._tell(this._findings);
      return;
    }
    try {
      for (const fingerprint of choice.fingerprints) {
        await api.keep(path, fingerprint, choice.reason);
      }
    } catch (error) {
      const { title, detail, remedy } = Problem.from(error);
      await showErrorMessage(title, [detail, remedy].filter(Boolean).join(' '));
      this._tell(this._findings);
      return;
    }
    this._shown = '';
    await this._save();
  }

  /** Leave the tab as it is; the file keeps the marker. */
  cancel(): void {
    this._cancelled = signature(this._findings);
    this._dismiss();
  }

  private _onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    const turn = ++this._turn;
    if (state === 'started') {
      this._tab.begin();
    } else if (state === 'completed') {
      void this._follow(turn);
    }
  }

  private async _follow(turn: number): Promise<void> {
    let report: IScanReport;
    try {
      report = await this._options.api.scan(this._path);
    } catch (error) {
      // 404: this file was not saved through a scanned contents manager, as the panel's health says.
      const problem = Problem.from(error);
      if (problem.status !== 404) {
        console.warn(`qsec-jupyter: no scan report (${problem.code})`);
      }
      return;
    }
    if (turn === this._turn && !this._isDisposed) {
      await this._take(report);
    }
  }

  private async _take(report: IScanReport): Promise<void> {
    const { model } = this._context;
    this._findings = report.findings;
    const wasClean = !model.dirty;
    const complete = this._tab.take(report);
    if (wasClean && complete && model.dirty && !model.collaborative) {
      // What changed is now what the file holds.
      model.dirty = false;
    }
    this._tellUnscanned(report);
    const planned = this._next;
    this._next = null;
    if (planned === 'redact') {
      await this.redact();
      return;
    }
    if (planned === 'compare' && needsChoice(report.findings) && !model.dirty) {
      // Outside of the cells, say in the notebook's metadata: the file is redacted, so read it.
      await this._context.revert();
      return;
    }
    const now = signature(report.findings);
    const next = step(now, this._shown, this._cancelled);
    if (now !== this._cancelled) {
      this._cancelled = '';
    }
    if (next === 'show') {
      this._tell(report.findings);
    } else if (next === 'dismiss') {
      this._dismiss();
    }
  }

  /** Show the one notification of this notebook, or bring it up to date. */
  private _tell(findings: readonly IFinding[]): void {
    const { trans } = this._options;
    const text = message(PathExt.basename(this._path), findings, trans);
    const asks = needsChoice(findings);
    const type = asks ? 'warning' : 'info';
    const options: Notification.IOptions<null> = asks
      ? { autoClose: false, actions: this._choices() }
      : { autoClose: 8000, actions: [] };
    this._shown = signature(findings);
    if (this._notification && Notification.manager.has(this._notification)) {
      Notification.update({
        id: this._notification,
        message: text,
        type,
        ...options
      });
    } else {
      this._notification = Notification.emit(text, type, options);
    }
  }

  private _choices(): Notification.IAction[] {
    const { trans } = this._options;
    return [
      {
        label: trans.__('Redact'),
        caption: trans.__('Put the marker into the cell, too'),
        displayType: 'accent',
        callback: () => void this.redact()
      },
      {
        label: trans.__('Keep with a reason…'),
        caption: trans.__('Write the value to the file and record why'),
        callback: () => void this.keep()
      },
      {
        label: trans.__('Cancel'),
        caption: trans.__('Leave the cell as it is; the file keeps the marker'),
        callback: () => this.cancel()
      }
    ];
  }

  private _tellUnscanned(report: IScanReport): void {
    const now = report.unscanned
      .map(part => `${part.surface}: ${part.why}`)
      .join('\n');
    if (now && now !== this._unscanned) {
      const { trans } = this._options;
      const file = PathExt.basename(this._path);
      Notification.warning(
        `${trans.__('Not all of %1 was checked for secrets.', file)}\n${now}`,
        { autoClose: 15000 }
      );
    }
    this._unscanned = now;
  }

  private _dismiss(): void {
    this._shown = '';
    if (this._notification) {
      Notification.dismiss(this._notification);
      this._notification = null;
    }
  }

  private async _save(): Promise<void> {
    try {
      await this._context.save();
    } catch {
      // Jupyter has shown its own dialog; the tab still holds the work.
      this._next = null;
    }
  }

  private get _path(): string {
    return this._options.contents.localPath(this._context.path);
  }

  private _context: SaveContext;
  private _options: ISaveOptions;
  private _tab: OpenTab;
  private _findings: readonly IFinding[] = [];
  private _notification: string | null = null;
  private _shown = '';
  private _cancelled = '';
  private _unscanned = '';
  private _turn = 0;
  /** What the next report is for, when `redact` asked for the save. */
  private _next: 'redact' | 'compare' | null = null;
  private _isDisposed = false;
}
