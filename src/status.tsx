import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import {
  clockFace,
  nearestExpiry,
  secondsLeft,
  spell,
  warningReached
} from './countdown';
import { shieldIcon } from './icons';
import type { QsecSettings } from './settings';
import { useTick } from './ticker';
import type { IQsecModel } from './tokens';

export interface IStatusOptions {
  model: IQsecModel;
  trans: TranslationBundle;
  settings: QsecSettings;
  open: () => void;
}

/** Status-bar item: the grant that ends first, and in which time. A click opens the panel. */
export class StatusItem extends ReactWidget {
  constructor(options: IStatusOptions) {
    super();
    this._options = options;
    this.addClass('jp-Qsec-status-item');
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this._options.model.changed}>
        {() => <NearestExpiry {...this._options} />}
      </UseSignal>
    );
  }

  private _options: IStatusOptions;
}

function NearestExpiry(options: IStatusOptions): JSX.Element {
  const { model, trans } = options;
  const grants = model.state?.grants ?? [];
  const hasActive = grants.some(grant => grant.state === 'active');
  useTick(hasActive);

  const now = model.now();
  const grant = nearestExpiry(grants, now);
  const left = grant ? (secondsLeft(grant, now) ?? 0) : 0;
  const isLow =
    grant !== null &&
    warningReached(grant, now, options.settings.now.expiryWarnings) !== null;
  const titleOf = (name: string) =>
    model.state?.targets.find(one => one.name === name)?.title ?? name;
  const text = model.problem
    ? trans.__('Not connected')
    : grant
      ? `${titleOf(grant.target)} ${clockFace(left)}`
      : model.state
        ? trans.__('No grant')
        : trans.__('Connecting…');
  const label = grant
    ? trans.__(
        '%1: %2 left. Open the security panel.',
        titleOf(grant.target),
        spell(left)
      )
    : trans.__('%1. Open the security panel.', text);
  return (
    <button
      type="button"
      className={`jp-Qsec-statusButton${isLow ? ' jp-mod-low' : ''}`}
      title={label}
      aria-label={label}
      onClick={options.open}
    >
      <shieldIcon.react tag="span" className="jp-Qsec-icon" />
      {isLow ? `⚠ ${text}` : text}
    </button>
  );
}
