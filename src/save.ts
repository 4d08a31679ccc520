import { showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IQsecApi } from './api';
import type { DataClass, IFinding } from './contract';
import { askToKeep } from './keepDialog';
import { masked, needsChoice } from './notice';
import type { Form } from './openTab';
import { OpenTab } from './openTab';
import { Problem } from './problem';
import type { IFound } from './saveNotice';
import { SaveNotice } from './saveNotice';
import type { IScanReport } from './scanReport';
import { sayProblem } from './serverTexts';

export interface ISaveOptions {
  api: Pick<IQsecApi, 'scan' | 'keep' | 'unkeep'>;
  contents: Pick<Contents.IManager, 'localPath'>;
  trans: TranslationBundle;
  /** Whether policy lets a finding stay in a file of that class. */
  mayKeep?: (dataClass: DataClass) => boolean;
}

/** The part of a notebook's context that saving touches. */
export type SaveContext = Pick<
  NotebookPanel['context'],
  'path' | 'model' | 'saveState' | 'save' | 'revert'
>;

/** What a save that this made itself is for. */
type Plan =
  | { do: 'replace'; form: Form; cells?: ReadonlySet<string> }
  | { do: 'compare' };

/**
 * One notebook: after each save its tab follows the file, and its author is asked about what the author wrote.
 *
 * The file on disk is safe before any of this runs. Whatever fails here costs a notification, never a save.
 */
export class NotebookSaves implements IDisposable {
  constructor(context: SaveContext, options: ISaveOptions) {
    this._context = context;
    this._options = options;
    this._tab = new OpenTab(context.model.sharedModel);
    this._notice = new SaveNotice(options.trans, () =>
      PathExt.basename(this.path)
    );
    context.saveState.connect(this._onSaveState, this);
  }

  /** Emitted when the findings, or what can be done about them, changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** As the server names the file. */
  get path(): string {
    return this._options.contents.localPath(this._context.path);
  }

  /** What the last save found. */
  get findings(): readonly IFinding[] {
    return this._report?.findings ?? [];
  }

  /** Whether the last save wrote nothing because of what it found. */
  get isBlocked(): boolean {
    return this._report?.blocked ?? false;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._context.saveState.disconnect(this._onSaveState, this);
    this._tab.forget();
    this._notice.dismiss();
    Signal.clearData(this);
  }

  /** What was found in a cell, by its id here: cells may have moved since the save. */
  findingsOf(cellId: string): IFinding[] {
    return this.findings.filter(finding => this.cellOf(finding) === cellId);
  }

  /** The id of a finding's cell in the open notebook, or null. */
  cellOf(finding: IFinding): string | null {
    return finding.cell_id ?? this._tab.idAt(finding.cell);
  }

  /** Whether places within a cell are still those of the last save. */
  isCurrent(cellId: string): boolean {
    return this._isFollowed && !this._tab.hasChanged(cellId);
  }

  /** The cells that hold these findings. */
  cellsOf(findings: readonly IFinding[]): Set<string> {
    const ids = findings.map(finding => this.cellOf(finding));
    return new Set(ids.filter((id): id is string => id !== null));
  }

  /** Whether that form can take the place of a secret in these cells, or in any. */
  offers(form: Form, cells?: ReadonlySet<string>): boolean {
    return this._tab.offers(form, cells);
  }

  /** Whether policy lets these findings stay. */
  get mayKeep(): boolean {
    const { mayKeep } = this._options;
    return !this._report || !mayKeep || mayKeep(this._report.data_class);
  }

  /** Put the marker or a broker call into the author's cells, then save. */
  async replace(form: Form, cells?: ReadonlySet<string>): Promise<void> {
    this._notice.dismiss();
    if (this._tab.isStale(cells)) {
      // The cells went on changing: the report of a save made now fits them.
      this._plan = { do: 'replace', form, cells };
    } else {
      const changed = this._tab.replace(form, cells);
      this._plan = { do: 'compare' };
      this._notice.tellReplaced(form, changed, () => void this.undo());
    }
    await this._save();
  }

  /** Take the last replacement back. The tab holds the secret again; the file keeps its form. */
  undo(): number {
    const changed = this._tab.undo();
    this._changed.emit();
    return changed;
  }

  /** Ask which values stay and why, record it, and save again so that they are written. */
  async keep(findings?: readonly IFinding[]): Promise<boolean> {
    const { api, trans } = this._options;
    this._notice.dismiss();
    const asked = findings ?? this._authored();
    const choice = await askToKeep(asked, trans);
    const kept =
      choice !== null &&
      (await this._record(() =>
        api.keep(this.path, choice.fingerprints, choice.reason)
      ));
    if (!kept) {
      this._notice.show(this._found());
    }
    return kept;
  }

  /** Take back that findings were kept, and save again so that they are masked. */
  async unkeep(fingerprints: readonly string[]): Promise<boolean> {
    const { api } = this._options;
    return this._record(() => api.unkeep(this.path, fingerprints));
  }

  /** Save because what may be written has changed. */
  async refresh(): Promise<void> {
    this._notice.forget();
    await this._save();
  }

  /** Leave the tab as it is; the file keeps the marker. */
  cancel(): void {
    this._notice.leave(this._told());
  }

  private async _record(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      const { title, detail, remedy } = sayProblem(
        Problem.from(error),
        this._options.trans
      );
      await showErrorMessage(title, [detail, remedy].filter(Boolean).join(' '));
      return false;
    }
    await this.refresh();
    return true;
  }

  /** The findings that stand in what the author wrote and wait for a choice. */
  private _authored(): IFinding[] {
    return this._told().filter(f => this.isBlocked || f.surface !== 'output');
  }

  /** The findings that the notification speaks of. */
  private _told(): IFinding[] {
    return this.isBlocked
      ? this.findings.filter(f => f.action !== 'kept')
      : masked(this.findings);
  }

  /** What the notification says, and what its buttons do. */
  private _found(): IFound {
    const broker = () => void this.replace('broker');
    const keep = () => void this.keep();
    const choices = {
      broker: this._tab.offers('broker') ? broker : null,
      redact: () => void this.replace('marker'),
      keep: this.mayKeep ? keep : null,
      cancel: () => this.cancel()
    };
    return {
      findings: this._told(),
      isBlocked: this.isBlocked,
      choices: this._authored().length > 0 ? choices : null
    };
  }

  private _onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    const turn = ++this._turn;
    if (state === 'started') {
      this._tab.begin();
      this._isFollowed = false;
    } else {
      void this._follow(turn, state === 'failed');
    }
  }

  private async _follow(turn: number, failed: boolean): Promise<void> {
    let report: IScanReport;
    try {
      report = await this._options.api.scan(this.path);
    } catch (error) {
      // 404: this file was not saved through a scanned contents manager, as the panel's health says.
      const problem = Problem.from(error);
      if (problem.status !== 404) {
        console.warn(`qsec-jupyter: no scan report (${problem.code})`);
      }
      return;
    }
    if (turn !== this._turn || this._isDisposed) {
      return;
    }
    // A save that failed for another reason left the report of the one before it.
    if (!failed || report.blocked) {
      await this._take(report);
    }
  }

  private async _take(report: IScanReport): Promise<void> {
    const { model } = this._context;
    this._report = report;
    this._isFollowed = true;
    const wasClean = !model.dirty;
    const complete = this._tab.take(report);
    if (wasClean && complete && model.dirty && !model.collaborative) {
      // What changed is now what the file holds.
      model.dirty = false;
    }
    this._notice.tellUnscanned(report.unscanned);
    const planned = this._plan;
    this._plan = null;
    if (planned?.do === 'replace') {
      await this.replace(planned.form, planned.cells);
      return;
    }
    if (
      planned?.do === 'compare' &&
      !report.blocked &&
      this._holdsNoCell(report.findings) &&
      !model.dirty
    ) {
      // Outside of the cells, say in the notebook's metadata: the file is redacted, so read it.
      await this._context.revert();
      return;
    }
    this._notice.follow(this._found());
    this._changed.emit();
  }

  private _holdsNoCell(findings: readonly IFinding[]): boolean {
    return needsChoice(findings) && !this._tab.offers('marker');
  }

  private async _save(): Promise<void> {
    try {
      await this._context.save();
    } catch {
      // Jupyter has shown its own dialog; the tab still holds the work.
      this._plan = null;
    }
  }

  private _context: SaveContext;
  private _options: ISaveOptions;
  private _tab: OpenTab;
  private _notice: SaveNotice;
  private _report: IScanReport | null = null;
  private _changed = new Signal<this, void>(this);
  private _turn = 0;
  /** What the next report is for, when this asked for the save itself. */
  private _plan: Plan | null = null;
  /** Whether the report is that of the last save. */
  private _isFollowed = false;
  private _isDisposed = false;
}
