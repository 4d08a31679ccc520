import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { GrantVerb } from './api';
import type { IDenials, IGrant, IGrantRequest, IState } from './contract';
import type { Problem } from './problem';
import type { SaveWatcher } from './saveWatcher';

/** The state of qsec-jupyter in this page. Nothing in it is secret. */
export interface IQsecModel extends IDisposable {
  /** The last snapshot; null until the first one came. */
  readonly state: IState | null;
  /** Why the snapshot may be out of date; null while all is well. */
  readonly problem: Problem | null;
  /** The server's version when it is not this page's, else null. */
  readonly otherVersion: string | null;
  /** Emitted when any of the above changed. */
  readonly changed: ISignal<IQsecModel, void>;
  /** The server's clock, in milliseconds since the epoch: expiry is the server's to tell. */
  now(): number;
  /** Ask the server now. */
  refresh(): void;
  /** Ask for a target. Rejects with a `Problem`. */
  request(request: IGrantRequest): Promise<IGrant>;
  /** Decide on a grant or end it. Rejects with a `Problem`. */
  act(id: string, verb: GrantVerb, comment?: string): Promise<IGrant>;
  /** Ask for more time on a grant, such as `30m`. Rejects with a `Problem`. */
  extend(id: string, duration: string): Promise<IGrant>;
  /** Deny several requests; says which, and why not the others. */
  denyAll(ids: readonly string[], comment: string): Promise<IDenials>;
}

/** For other extensions: who is connected, what is granted, until when. */
export const IQsecModel = new Token<IQsecModel>(
  'qsec-jupyter:IQsecModel',
  'The state of qsec-jupyter: identity, grants, approvals, runs and findings. Holds no secret.'
);

/** Between the plugins of this package: who looks after the open notebooks. */
export const ISaveWatcher = new Token<SaveWatcher>(
  'qsec-jupyter:ISaveWatcher',
  'What the last save found in each open notebook, and what can be done about it.'
);
