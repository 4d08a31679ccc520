import React from 'react';

import type { IState } from '../contract';
import { lockTitle } from '../sayings';
import { sayServer } from '../serverTexts';
import { locksOf, outagesOf } from '../troubles';
import { usePanel } from './context';

/** What is locked or away, what that stops, and what still works. */
export function Banners(props: { state: IState }): JSX.Element {
  return (
    <>
      <Locks state={props.state} />
      <Outages state={props.state} />
    </>
  );
}

function Locks(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const { state } = props;
  const mine = locksOf(state);
  if (mine.length === 0) {
    return null;
  }
  return (
    <div className="jp-Qsec-banner jp-mod-error" role="alert">
      {mine.map(lock => (
        <p key={lock.id}>
          <strong>{lockTitle(lock, state, trans)}</strong>{' '}
          {trans.__('by %1: %2', lock.locked_by, lock.reason)}
        </p>
      ))}
      <p>
        {trans.__(
          'Nothing new can be requested or issued there. Notebooks, local simulators and what was recorded still work.'
        )}
      </p>
    </div>
  );
}

function Outages(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const away = outagesOf(props.state);
  if (away.length === 0) {
    return null;
  }
  return (
    <div className="jp-Qsec-banner jp-mod-warn" role="alert">
      {away.map(check => (
        <p key={check.name}>
          <strong>{sayServer(check.detail, trans)}</strong>{' '}
          {sayServer(check.remedy, trans)}
        </p>
      ))}
      <p>
        {trans.__(
          'No credential can be issued or renewed until it is back. Open grants keep running; local simulators, saving and recording still work.'
        )}
      </p>
    </div>
  );
}
