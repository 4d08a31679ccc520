import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFinding } from './contract';
import { message, signature, step } from './notice';
import type { Form } from './openTab';
import type { IScanReport } from './scanReport';

/** What the author can do; null is not offered. */
export interface IChoices {
  broker: (() => void) | null;
  redact: () => void;
  keep: (() => void) | null;
  cancel: () => void;
}

/** What a save found. */
export interface IFound {
  findings: readonly IFinding[];
  /** Whether nothing was written because of it. */
  isBlocked: boolean;
  /** Null when there is nothing to choose. */
  choices: IChoices | null;
}

/** The one notification of a notebook, and what else is told beside it. */
export class SaveNotice {
  /**
   * @param _file - the notebook's name
   */
  constructor(
    private _trans: TranslationBundle,
    private _file: () => string
  ) {}

  /** Follow a save: the same findings are told once, and what its author chose to leave is not told again. */
  follow(found: IFound): void {
    const now = signature(found.findings);
    const next = step(now, this._shown, this._cancelled);
    if (now !== this._cancelled) {
      this._cancelled = '';
    }
    if (next === 'show') {
      this.show(found);
    } else if (next === 'dismiss') {
      this.dismiss();
    }
  }

  /** Show the notification, or bring it up to date. */
  show({ findings, isBlocked, choices }: IFound): void {
    const text = message(this._file(), findings, this._trans, isBlocked);
    const type = isBlocked ? 'error' : choices ? 'warning' : 'info';
    const options: Notification.IOptions<null> = choices
      ? { autoClose: false, actions: this._actions(choices, isBlocked) }
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

  /** Say nothing of these findings until others are found. */
  leave(findings: readonly IFinding[]): void {
    this._cancelled = signature(findings);
    this.dismiss();
  }

  /** Tell the next findings whatever is on screen. */
  forget(): void {
    this._shown = '';
  }

  dismiss(): void {
    this.forget();
    if (this._notification) {
      Notification.dismiss(this._notification);
      this._notification = null;
    }
  }

  tellReplaced(form: Form, changed: number, undo: () => void): void {
    if (changed === 0) {
      return;
    }
    const trans = this._trans;
    const text =
      form === 'broker'
        ? trans._n(
            'A cell now asks the broker for its secret.',
            '%1 cells now ask the broker for their secrets.',
            changed
          )
        : trans._n('A cell was redacted.', '%1 cells were redacted.', changed);
    Notification.success(text, {
      autoClose: 10000,
      actions: [
        {
          label: trans.__('Undo'),
          caption: trans.__('Put the value back into the tab, not the file'),
          callback: undo
        }
      ]
    });
  }

  /** Tell what a save could not read, once. */
  tellUnscanned(parts: IScanReport['unscanned']): void {
    const now = parts.map(part => `${part.surface}: ${part.why}`).join('\n');
    if (now && now !== this._unscanned) {
      const trans = this._trans;
      Notification.warning(
        `${trans.__('Not all of %1 was checked for secrets.', this._file())}\n${now}`,
        { autoClose: 15000 }
      );
    }
    this._unscanned = now;
  }

  private _actions(
    { broker, redact, keep, cancel }: IChoices,
    isBlocked: boolean
  ): Notification.IAction[] {
    const trans = this._trans;
    const actions: Notification.IAction[] = [];
    if (broker) {
      actions.push({
        label: trans.__('Replace by a broker call'),
        caption: trans.__('Ask the broker for the value when the cell runs'),
        displayType: 'accent',
        callback: broker
      });
    }
    actions.push({
      label: trans.__('Redact'),
      caption: trans.__('Put the marker into the cell, too'),
      displayType: broker ? 'default' : 'accent',
      callback: redact
    });
    if (keep) {
      actions.push({
        label: trans.__('Keep with a reason…'),
        caption: trans.__('Write the value to the file and record why'),
        callback: keep
      });
    }
    actions.push({
      label: trans.__('Cancel'),
      caption: isBlocked
        ? trans.__('Leave the tab as it is; nothing is saved')
        : trans.__('Leave the cell as it is; the file keeps the marker'),
      callback: cancel
    });
    return actions;
  }

  private _notification: string | null = null;
  private _shown = '';
  private _cancelled = '';
  private _unscanned = '';
}
