import { checkIcon, infoIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IEvent, IState } from '../contract';
import { sayMoment } from '../countdown';
import { Age } from '../panel/age';
import { targetTitle, usePanel } from '../panel/context';
import type { Term } from '../panel/parts';
import { Terms } from '../panel/parts';
import { isGrave, sayDetail, sayEvent } from './words';

/** One event: what, where, by whom; all that the ledger says of it unfolds. */
export function EventRow(props: { event: IEvent; state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { event, state } = props;
  const grave = isGrave(event.kind);
  const Icon = grave ? infoIcon : checkIcon;
  const words = sayEvent(event, trans);
  const facts = [
    event.target ? targetTitle(state, event.target) : '',
    useActor(event, state),
    ...['reason', 'comment', 'ticket'].map(name => event.details[name])
  ];
  return (
    <li className="jp-Qsec-item jp-Qsec-event">
      <details>
        <summary>
          <span
            className={`jp-Qsec-status jp-mod-${grave ? 'reported' : 'redacted'}`}
            aria-hidden="true"
          >
            <Icon.react tag="span" className="jp-Qsec-icon" />
          </span>
          <span className="jp-Qsec-main">
            <span className="jp-Qsec-strong">{words}</span>
            <span className="jp-Qsec-dim jp-Qsec-secondary">
              {facts
                .filter(fact => typeof fact === 'string' && fact)
                .join(' · ')}
            </span>
          </span>
          <Age moment={event.time} />
        </summary>
        <Details event={event} />
      </details>
    </li>
  );
}

/** Who did it, as this person says it. */
function useActor(event: IEvent, state: IState): string {
  const { trans } = usePanel();
  const { actor } = event;
  if (!actor) {
    return '';
  }
  return actor === state.principal.name || actor === state.principal.subject
    ? trans.__('by you')
    : trans.__('by %1', actor);
}

function Details(props: { event: IEvent }): JSX.Element {
  const { trans } = usePanel();
  const { event } = props;
  const vouches = {
    control: trans.__('seen by the control plane'),
    server: trans.__('told by the Jupyter server'),
    kernel: trans.__('told by the kernel')
  }[event.asserted_by];
  const rows: ReadonlyArray<readonly [string, unknown]> = [
    [trans.__('Entry'), event.position],
    [trans.__('Time'), sayMoment(event.time)],
    [trans.__('Evidence'), vouches],
    [trans.__('Grant'), event.grant_id],
    ...Object.entries(event.details)
      // What is kept as a keyed digest only says nothing to a reader.
      .filter(([name]) => !name.endsWith('_hmac'))
      .map(([name, value]) => [sayDetail(name, trans), value] as const)
  ];
  const terms = rows
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]): Term => [name, <Value key={name} value={value} />]);
  return <Terms terms={terms} />;
}

/** A value as short as it can be read; all of it is in the tooltip. */
function Value(props: { value: unknown }): JSX.Element {
  const { value } = props;
  const text = Array.isArray(value)
    ? value.map(one => `${one}`).join(', ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : `${value}`;
  const isDigest = /^[0-9a-f]{24,}$/.test(text);
  return <span title={text}>{isDigest ? `${text.slice(0, 12)}…` : text}</span>;
}
