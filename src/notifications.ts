import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import type { IGrant, IState } from './contract';
import {
  asDuration,
  extensionOf,
  secondsLeft,
  spell,
  warningReached
} from './countdown';
import { Problem } from './problem';
import { lockTitle } from './sayings';
import { sayProblem, sayServer } from './serverTexts';
import type { QsecSettings } from './settings';
import type { INotice, IShow } from './toasts';
import type { IQsecModel } from './tokens';
import { locksOf, outagesOf } from './troubles';

/** A request that policy approves by itself is open for a moment, too; nobody needs to hear of it (milliseconds). */
const POLICY_DECIDES_WITHIN = 2000;

export interface INotifierOptions {
  model: IQsecModel;
  settings: QsecSettings;
  trans: TranslationBundle;
  openPanel: () => void;
  /** Puts notices on screen. */
  toasts: IShow;
}

/** Tells of what a person would want to know without looking at the panel: each thing once. */
export class Notifier implements IDisposable {
  constructor(options: INotifierOptions) {
    this._options = options;
    options.model.changed.connect(this._check, this);
    options.settings.changed.connect(this._check, this);
    this._timer = setInterval(() => this._check(), 5000);
    this._check();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearInterval(this._timer);
    this._options.model.changed.disconnect(this._check, this);
    this._options.settings.changed.disconnect(this._check, this);
    this._options.toasts.clear();
  }

  private _check(): void {
    const { model, settings, toasts } = this._options;
    const state = model.state;
    if (this._isDisposed || !state || model.problem) {
      return;
    }
    const { notifyApprovals, notifyDecisions, notifyTroubles } = settings.now;
    const decided = this._decisions(state);
    toasts.show([
      ...(notifyApprovals ? this._approvals(state) : []),
      ...(notifyDecisions ? decided : []),
      ...(notifyTroubles ? this._troubles(state) : []),
      ...this._expiries(state)
    ]);
  }

  private _approvals(state: IState): INotice[] {
    const { model, trans, openPanel } = this._options;
    return state.approvals.flatMap(grant => {
      const waited = model.now() - Date.parse(grant.requested_at);
      if (waited < POLICY_DECIDES_WITHIN) {
        setTimeout(() => this._check(), POLICY_DECIDES_WITHIN);
        return [];
      }
      const text = trans.__(
        '%1 asks for %2 for %3.',
        grant.requester,
        titleOf(state, grant),
        spell(grant.duration)
      );
      const label = trans.__('Decide');
      const caption = trans.__('Open the panel to approve or deny');
      return {
        key: `approval:${grant.id}`,
        kind: 'info',
        text,
        actions: [{ label, caption, callback: openPanel }]
      };
    });
  }

  /** What somebody decided since the last look; the notice stays until it is closed. */
  private _decisions(state: IState): INotice[] {
    for (const grant of state.grants) {
      const before = this._states.get(grant.id);
      this._states.set(grant.id, grant.state);
      const isDecision =
        before === 'requested' &&
        ['approved', 'active', 'denied'].includes(grant.state) &&
        grant.decided_by !== null &&
        ![grant.requester, 'policy'].includes(grant.decided_by);
      if (isDecision) {
        this._decided.push(this._decision(state, grant));
      }
    }
    return this._decided;
  }

  private _decision(state: IState, grant: IGrant): INotice {
    const { trans } = this._options;
    const title = titleOf(state, grant);
    const comment = grant.decision_comment;
    const text =
      grant.state === 'denied'
        ? trans.__('%1 denied %2.', grant.decided_by, title)
        : trans.__('%1 approved %2.', grant.decided_by, title);
    return {
      key: `decision:${grant.id}`,
      kind: grant.state === 'denied' ? 'warning' : 'success',
      text: comment ? `${text} ${comment}` : text,
      closes: true
    };
  }

  private _troubles(state: IState): INotice[] {
    const { trans, openPanel } = this._options;
    const actions = [{ label: trans.__('Show'), callback: openPanel }];
    const locks = locksOf(state).map(lock => ({
      key: `lock:${lock.id}`,
      kind: 'error' as const,
      text: `${lockTitle(lock, state, trans)}: ${lock.reason}`,
      actions
    }));
    const outages = outagesOf(state).map(check => ({
      key: `outage:${check.name}`,
      kind: 'warning' as const,
      text: sayServer(check.detail, trans),
      actions
    }));
    return [...locks, ...outages];
  }

  private _expiries(state: IState): INotice[] {
    const { model, settings, trans } = this._options;
    const now = model.now();
    return state.grants.flatMap(grant => {
      const { expiryWarnings } = settings.now;
      const reached = warningReached(grant, now, expiryWarnings);
      const left = secondsLeft(grant, now);
      if (reached === null || !left) {
        return [];
      }
      const minutes = Math.max(1, Math.round(left / 60));
      const text = trans._n(
        'The grant for %2 ends in %1 minute.',
        'The grant for %2 ends in %1 minutes.',
        minutes,
        titleOf(state, grant)
      );
      return {
        key: `expiry:${grant.id}:${reached}`,
        kind: 'warning',
        text,
        actions: this._waysOn(state, grant)
      };
    });
  }

  private _waysOn(state: IState, grant: IGrant): INotice['actions'] {
    const { trans, openPanel } = this._options;
    const more = extensionOf(grant, state);
    const show = { label: trans.__('Show'), callback: openPanel };
    return more === 0
      ? [show]
      : [
          {
            label: trans.__('Extend by %1', spell(more)),
            caption: trans.__('Ask for %1 more', spell(more)),
            callback: () => void this._extend(grant, more)
          },
          show
        ];
  }

  private async _extend(grant: IGrant, more: number): Promise<void> {
    const { model, toasts, trans } = this._options;
    try {
      await model.extend(grant.id, asDuration(more));
    } catch (error) {
      const { title, remedy } = sayProblem(Problem.from(error), trans);
      toasts.tell({
        key: `refused:${grant.id}`,
        kind: 'error',
        text: `${title}. ${remedy}`
      });
    }
  }

  private _options: INotifierOptions;
  private _states = new Map<string, IGrant['state']>();
  private _decided: INotice[] = [];
  private _timer: ReturnType<typeof setInterval>;
  private _isDisposed = false;
}

function titleOf(state: IState, grant: IGrant): string {
  const target = state.targets.find(one => one.name === grant.target);
  return target?.title ?? grant.target;
}
