import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IQsecApi } from '../api';
import type { IRecordedFinding } from '../contract';
import type { Form } from '../openTab';
import { Problem } from '../problem';
import type { NotebookSaves } from '../save';
import type { ICoverage } from '../share/contract';
import type { IQsecModel } from '../tokens';

/** What the list is narrowed to; an empty text does not restrict. */
export interface IFindingFilter {
  search: string;
  severity: string;
  /** A notebook's path. */
  path: string;
}

/** The notebooks in front of the user, as far as findings go. */
export interface IOpenNotebooks {
  /** The open notebook with that path, or null. */
  find(path: string): NotebookSaves | null;
  /** Emitted when what was found in one of them changed. */
  readonly changed?: ISignal<unknown, unknown>;
}

/** What was done, so that it can be said and taken back. */
export interface IDone {
  what: 'broker' | 'marker' | 'kept' | 'unkept';
  count: number;
  undo: () => Promise<void>;
}

/** The findings of all notebooks, which of them are chosen, and what is done with those. */
export class FindingsModel implements IDisposable {
  constructor(
    private _api: Pick<IQsecApi, 'findings' | 'keep' | 'unkeep' | 'coverage'>,
    private _state: IQsecModel,
    private _open: IOpenNotebooks
  ) {
    _state.changed.connect(this._onState, this);
    _open.changed?.connect(this._emit, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What was found; null until the first answer came. */
  get findings(): readonly IRecordedFinding[] | null {
    return this._findings;
  }

  get filter(): IFindingFilter {
    return this._filter;
  }

  get isFiltered(): boolean {
    return Object.values(this._filter).some(Boolean);
  }

  get chosen(): IRecordedFinding[] {
    return (this._findings ?? []).filter(one => this._chosen.has(one.id));
  }

  get isBusy(): boolean {
    return this._busy;
  }

  get problem(): Problem | null {
    return this._problem;
  }

  /** What was done last. */
  get done(): IDone | null {
    return this._done;
  }

  /** The rows of one notebook's coverage, when they are shown instead of the list. */
  get coverage(): ICoverage | null {
    return this._coverage;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._state.changed.disconnect(this._onState, this);
      this._open.changed?.disconnect(this._emit, this);
      Signal.clearData(this);
    }
  }

  /** Begin to follow; what nobody looks at is not asked for. */
  start(): void {
    if (!this._isStarted) {
      this._isStarted = true;
      void this.refresh();
    }
  }

  /** A finding where it stands now, when its notebook is open: the record says where it was found first. */
  here(finding: IRecordedFinding): IRecordedFinding {
    const found = this._open
      .find(finding.path)
      ?.findings.find(
        one =>
          one.fingerprint === finding.fingerprint &&
          one.surface === finding.surface
      );
    return found
      ? {
          ...found,
          id: finding.id,
          found_at: finding.found_at,
          kept_reason: finding.kept_reason
        }
      : finding;
  }

  isChosen(id: number): boolean {
    return this._chosen.has(id);
  }

  choose(ids: readonly number[], on: boolean): void {
    ids.forEach(id => (on ? this._chosen.add(id) : this._chosen.delete(id)));
    this._changed.emit();
  }

  async setFilter(changes: Partial<IFindingFilter>): Promise<void> {
    this._filter = { ...this._filter, ...changes };
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const turn = ++this._turn;
    await this._work(async () => {
      const findings = await this._api.findings(this._filter);
      if (turn === this._turn) {
        const here = new Set(findings.map(one => one.id));
        this._findings = findings;
        this._chosen.forEach(id => here.has(id) || this._chosen.delete(id));
      }
    });
  }

  async showCoverage(path: string): Promise<void> {
    await this._work(async () => {
      this._coverage = await this._api.coverage(path);
    });
  }

  hideCoverage(): void {
    this._coverage = null;
    this._problem = null;
    this._changed.emit();
  }

  /** Whether a form can be put in the place of a chosen finding: its notebook is open and still holds it. */
  mayReplace(form: Form): boolean {
    return this._live().some(([saves, cells]) => saves.offers(form, cells));
  }

  /** Put a form in the place of the chosen findings, in every open notebook that holds them. */
  async replace(form: Form): Promise<void> {
    const live = this._live().filter(([s, cells]) => s.offers(form, cells));
    const count = live.reduce((sum, [, cells]) => sum + cells.size, 0);
    await this._act({
      work: async () => {
        for (const [saves, cells] of live) {
          await saves.replace(form, cells);
        }
      },
      done: {
        what: form,
        count,
        undo: async () => live.forEach(([saves]) => void saves.undo())
      }
    });
  }

  /** Keep the chosen findings from the next save on, and save what is open. */
  async keep(
    reason: string,
    fingerprints: readonly string[] = this.chosen.map(f => f.fingerprint)
  ): Promise<void> {
    const groups = this._byPath(
      this.chosen.filter(
        f => f.action !== 'kept' && fingerprints.includes(f.fingerprint)
      )
    );
    await this._act({
      work: () => this._keep(groups, reason),
      done: {
        what: 'kept',
        count: count(groups),
        undo: () => this._unkeep(groups)
      }
    });
  }

  /** Take back that the chosen findings were kept. */
  async unkeep(): Promise<void> {
    const kept = this.chosen.filter(f => f.action === 'kept');
    const groups = this._byPath(kept);
    const reason = kept[0]?.kept_reason ?? '';
    await this._act({
      work: () => this._unkeep(groups),
      done: {
        what: 'unkept',
        count: count(groups),
        undo: () => this._keep(groups, reason)
      }
    });
  }

  async undo(): Promise<void> {
    const done = this._done;
    this._done = null;
    if (done) {
      await this._work(done.undo);
      await this.refresh();
    }
  }

  private async _act(step: {
    work: () => Promise<void>;
    done: IDone;
  }): Promise<void> {
    this._done = null;
    if (await this._work(step.work)) {
      this._done = step.done;
      this._chosen.clear();
      await this.refresh();
    }
  }

  private async _keep(groups: Groups, reason: string): Promise<void> {
    for (const [path, fingerprints] of groups) {
      await this._api.keep(path, [...fingerprints], reason);
      await this._open.find(path)?.refresh();
    }
  }

  private async _unkeep(groups: Groups): Promise<void> {
    for (const [path, fingerprints] of groups) {
      await this._api.unkeep(path, [...fingerprints]);
      await this._open.find(path)?.refresh();
    }
  }

  private _live(): Array<[NotebookSaves, Set<string>]> {
    return [...this._byPath(this.chosen)].flatMap(([path, fingerprints]) => {
      const saves = this._open.find(path);
      if (!saves) {
        return [];
      }
      const here = saves.findings.filter(f => fingerprints.has(f.fingerprint));
      const cells = saves.cellsOf(here);
      return cells.size > 0
        ? [[saves, cells] as [typeof saves, Set<string>]]
        : [];
    });
  }

  private _byPath(findings: readonly IRecordedFinding[]): Groups {
    const groups: Groups = new Map();
    for (const { path, fingerprint } of findings) {
      groups.set(path, (groups.get(path) ?? new Set()).add(fingerprint));
    }
    return groups;
  }

  private async _work(work: () => Promise<unknown>): Promise<boolean> {
    this._busy = true;
    this._problem = null;
    this._changed.emit();
    try {
      await work();
      return true;
    } catch (error) {
      this._problem = Problem.from(error);
      return false;
    } finally {
      this._busy = false;
      if (!this._isDisposed) {
        this._changed.emit();
      }
    }
  }

  private _emit(): void {
    this._changed.emit();
  }

  /** The state holds the newest findings: when they change, so does the list. */
  private _onState(): void {
    const found = this._state.state?.findings ?? [];
    const now = JSON.stringify(found.map(f => [f.id, f.action, f.found_at]));
    if (now !== this._seen) {
      this._seen = now;
      if (this._isStarted) {
        void this.refresh();
      }
    }
  }

  private _changed = new Signal<this, void>(this);
  private _findings: readonly IRecordedFinding[] | null = null;
  private _filter: IFindingFilter = { search: '', severity: '', path: '' };
  private _chosen = new Set<number>();
  private _coverage: ICoverage | null = null;
  private _problem: Problem | null = null;
  private _done: IDone | null = null;
  private _busy = false;
  private _turn = 0;
  private _seen = '';
  private _isStarted = false;
  private _isDisposed = false;
}

/** Path of a file to the values found in it. */
type Groups = Map<string, Set<string>>;

function count(groups: Groups): number {
  return [...groups.values()].reduce((sum, one) => sum + one.size, 0);
}
