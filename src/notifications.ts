import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import type { IGrant } from './contract';
import { secondsLeft, spell } from './countdown';
import type { QsecSettings } from './settings';
import type { IQsecModel } from './tokens';

/** A request that policy approves by itself is open for a moment, too; nobody needs to hear of it (milliseconds). */
const POLICY_DECIDES_WITHIN = 2000;

export interface INotifierOptions {
  model: IQsecModel;
  settings: QsecSettings;
  trans: TranslationBundle;
  openPanel: () => void;
}

/** Tells of requests that wait for this person and of grants that end soon: once each. */
export class Notifier implements IDisposable {
  constructor(options: INotifierOptions) {
    this._options = options;
    options.model.changed.connect(this._check, this);
    this._timer = setInterval(() => this._check(), 15000);
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
    for (const id of this._shown.values()) {
      Notification.dismiss(id);
    }
  }

  private _check(): void {
    if (this._isDisposed) {
      return;
    }
    const { model, settings } = this._options;
    const state = model.state;
    if (!state || model.problem) {
      return;
    }
    const wanted = new Map<string, () => string>();
    if (settings.notifyApprovals) {
      for (const grant of state.approvals) {
        const waited = model.now() - Date.parse(grant.requested_at);
        if (waited < POLICY_DECIDES_WITHIN) {
          setTimeout(() => this._check(), POLICY_DECIDES_WITHIN);
          continue;
        }
        wanted.set(`approval:${grant.id}`, () => this._tellApproval(grant));
      }
    }
    for (const grant of state.grants) {
      const left = secondsLeft(grant, model.now());
      const warning = settings.expiryWarningMinutes * 60;
      // A grant that was short from the beginning needs no alarm the moment it starts.
      if (left && left <= warning && grant.duration > warning) {
        wanted.set(`expiry:${grant.id}`, () => this._tellExpiry(grant, left));
      }
    }
    this._show(wanted);
  }

  /** Show what is new, take away what no longer holds. A toast that was closed by hand stays closed. */
  private _show(wanted: Map<string, () => string>): void {
    for (const [key, id] of this._shown) {
      if (!wanted.has(key)) {
        Notification.dismiss(id);
        this._shown.delete(key);
      }
    }
    for (const [key, tell] of wanted) {
      if (!this._shown.has(key)) {
        this._shown.set(key, tell());
      }
    }
  }

  private _tellApproval(grant: IGrant): string {
    const { trans, openPanel } = this._options;
    return Notification.info(
      trans.__(
        '%1 asks for %2 for %3.',
        grant.requester,
        grant.target,
        spell(grant.duration)
      ),
      {
        autoClose: false,
        actions: [
          {
            label: trans.__('Decide'),
            caption: trans.__('Open the panel to approve or deny'),
            displayType: 'accent',
            callback: openPanel
          }
        ]
      }
    );
  }

  private _tellExpiry(grant: IGrant, left: number): string {
    const { trans, openPanel } = this._options;
    const minutes = Math.max(1, Math.round(left / 60));
    return Notification.warning(
      trans._n(
        'The grant for %2 ends in %1 minute.',
        'The grant for %2 ends in %1 minutes.',
        minutes,
        grant.target
      ),
      {
        autoClose: 10000,
        actions: [{ label: trans.__('Show'), callback: openPanel }]
      }
    );
  }

  private _options: INotifierOptions;
  private _shown = new Map<string, string>();
  private _timer: ReturnType<typeof setInterval>;
  private _isDisposed = false;
}
