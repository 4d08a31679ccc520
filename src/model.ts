import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { GrantVerb, IAnswer, IQsecApi } from './api';
import type { IDenials, IGrant, IGrantRequest, IState } from './contract';
import type { IPace, Visibility } from './longPoll';
import { LongPoll } from './longPoll';
import { Problem } from './problem';
import type { IQsecModel } from './tokens';
import { VERSION } from './version';

export interface IQsecModelOptions {
  api: IQsecApi;
  visibility?: Visibility;
  pace?: IPace;
}

/** Follows the server's state by a long poll, and keeps the last snapshot when the server is away. */
export class QsecModel implements IQsecModel {
  constructor(options: IQsecModelOptions) {
    this._api = options.api;
    this._poll = new LongPoll({
      call: signal => this._fetch(signal),
      failed: error => this._fail(Problem.from(error)),
      visibility: options.visibility,
      whileHidden: () => this.followsHidden,
      pace: options.pace
    });
  }

  get state(): IState | null {
    return this._state;
  }

  get problem(): Problem | null {
    return this._problem;
  }

  get otherVersion(): string | null {
    return this._otherVersion;
  }

  get changed(): ISignal<IQsecModel, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Seconds that the server may hold a poll back; takes effect with the next one. */
  wait = 20;

  /** Whether to follow the state while nobody sees the page, for the sake of desktop notifications. */
  followsHidden = false;

  now(): number {
    return Date.now() + this._clockOffset;
  }

  start(): void {
    this._poll.start();
  }

  refresh(): void {
    this._since = undefined;
    this._poll.refresh();
  }

  async request(request: IGrantRequest): Promise<IGrant> {
    return this._adopt(await this._api.request(request));
  }

  async act(id: string, verb: GrantVerb, comment?: string): Promise<IGrant> {
    const asked = this._state?.approvals.find(grant => grant.id === id);
    const digest = verb === 'approve' ? asked?.payload_digest : undefined;
    const said = {
      ...(comment ? { comment } : {}),
      ...(digest ? { payload_digest: digest } : {})
    };
    return this._adopt(await this._api.act(id, verb, said));
  }

  async extend(id: string, duration: string): Promise<IGrant> {
    return this._adopt(await this._api.extend(id, duration));
  }

  async denyAll(ids: readonly string[], comment: string): Promise<IDenials> {
    const answer = await this._api.denyAll(ids, comment);
    this.refresh();
    return answer;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _fetch(signal: AbortSignal): Promise<void> {
    if (this._needsHandshake) {
      this._needsHandshake = false;
      void this._shakeHands();
    }
    const since = this._since;
    const answer = await this._api.state({ since, wait: this.wait, signal });
    if (signal.aborted || this.isDisposed) {
      return;
    }
    this._take(answer, since);
  }

  /** Compare versions, beside the state: a server that cannot tell its version may well tell the rest. */
  private async _shakeHands(): Promise<void> {
    const version = await this._api.version().catch(() => VERSION);
    const other = version === VERSION ? null : version;
    if (other !== this._otherVersion && !this.isDisposed) {
      this._otherVersion = other;
      this._changed.emit();
    }
  }

  private _take(answer: IAnswer<IState>, since: number | undefined): void {
    const { body, serverTime } = answer;
    this._since = body.version;
    if (serverTime !== null) {
      // The Date header is cut to the second; a difference within it is noise.
      const offset = serverTime - Date.now();
      this._clockOffset = Math.abs(offset) > 2000 ? offset : 0;
    }
    if (body.version !== since || this._problem) {
      this._state = body;
      this._problem = null;
      this._changed.emit();
    }
  }

  private _fail(problem: Problem): void {
    // A restarted server counts from the beginning, and may be another version.
    this._since = undefined;
    this._needsHandshake = true;
    this._problem = problem;
    this._changed.emit();
  }

  /** Show the outcome of one's own click at once; the poll brings the same a moment later. */
  private _adopt(grant: IGrant): IGrant {
    if (this._state && !this.isDisposed) {
      const { grants: known, approvals: open } = this._state;
      const grants = known.some(g => g.id === grant.id)
        ? known.map(g => (g.id === grant.id ? grant : g))
        : [grant, ...known];
      const approvals = open.filter(
        g => g.id !== grant.id || grant.state === 'requested'
      );
      this._state = { ...this._state, grants, approvals };
      this._changed.emit();
    }
    return grant;
  }

  private _api: IQsecApi;
  private _poll: LongPoll;
  private _changed = new Signal<IQsecModel, void>(this);
  private _state: IState | null = null;
  private _problem: Problem | null = null;
  private _otherVersion: string | null = null;
  private _since: number | undefined = undefined;
  private _clockOffset = 0;
  private _needsHandshake = true;
}
