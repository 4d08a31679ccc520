import {
  caretDownIcon,
  caretUpIcon,
  checkIcon,
  errorIcon,
  infoIcon
} from '@jupyterlab/ui-components';
import React, { useId, useState } from 'react';

import type { ICheck, IHealth } from '../contract';
import { sayServer } from '../serverTexts';
import { usePanel } from './context';

/** The line at the panel's foot: is all well, and if not, what to do. */
export function Health(props: {
  health: IHealth;
  stale: boolean;
}): JSX.Element {
  const { trans } = usePanel();
  const [open, setOpen] = useState(false);
  const id = useId();
  const { checks } = props.health;
  const status = props.stale ? 'down' : props.health.status;
  const failing = checks.filter(check => !check.ok).length;
  const label = {
    ok: trans.__('All checks pass'),
    degraded: trans._n(
      '%1 check needs attention',
      '%1 checks need attention',
      failing
    ),
    down: props.stale
      ? trans.__('Not connected: last known state')
      : trans.__('Not working')
  }[status];
  const Icon = { ok: checkIcon, degraded: infoIcon, down: errorIcon }[status];
  const Caret = open ? caretDownIcon : caretUpIcon;
  return (
    <div className={`jp-Qsec-health jp-mod-${status}`}>
      <div
        id={id}
        className="jp-Qsec-checks"
        role="group"
        aria-label={trans.__('Checks')}
        tabIndex={0}
        hidden={!open}
      >
        <ul className="jp-Qsec-list">
          {checks.map(check => (
            <Check key={check.name} check={check} />
          ))}
        </ul>
      </div>
      <button
        type="button"
        className="jp-Qsec-healthLine"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <Icon.react tag="span" className="jp-Qsec-icon" />
        <span className="jp-Qsec-healthLabel" role="status">
          {label}
        </span>
        <Caret.react tag="span" className="jp-Qsec-caret" />
      </button>
    </div>
  );
}

function Check(props: { check: ICheck }): JSX.Element {
  const { trans } = usePanel();
  const { name, ok, detail, remedy } = props.check;
  const Icon = ok ? checkIcon : errorIcon;
  return (
    <li className={`jp-Qsec-check ${ok ? 'jp-mod-ok' : 'jp-mod-failing'}`}>
      <Icon.react tag="span" className="jp-Qsec-icon" />
      <div>
        <span className="jp-Qsec-strong">{name}</span>{' '}
        <span className="jp-Qsec-hidden">
          {ok ? trans.__('is well.') : trans.__('needs attention.')}
        </span>
        <span className="jp-Qsec-dim">{sayServer(detail, trans)}</span>
        {!ok && remedy ? (
          <p className="jp-Qsec-remedy">{sayServer(remedy, trans)}</p>
        ) : null}
      </div>
    </li>
  );
}
