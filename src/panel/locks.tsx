import React from 'react';

import type { ILock, IState } from '../contract';
import { usePanel } from './context';

/** What is locked, and what that means: nothing new begins there. */
export function Locks(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const { locks, principal } = props.state;
  const mine = locks.filter(lock => concerns(lock, props.state));
  if (mine.length === 0) {
    return null;
  }
  const what = (lock: ILock) =>
    ({
      site: trans.__('Everything is locked'),
      user:
        lock.name === principal.name
          ? trans.__('You are locked out')
          : trans.__('%1 is locked out', lock.name),
      role: trans.__('The role %1 is locked', lock.name),
      server: trans.__('This server is locked'),
      target: trans.__('%1 is locked', lock.name)
    })[lock.kind];
  return (
    <div className="jp-Qsec-locks" role="alert">
      {mine.map(lock => (
        <p key={lock.id}>
          <strong>{what(lock)}</strong>{' '}
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

/** A lock of somebody else's is not for this person to read, unless they may lift it. */
function concerns(lock: ILock, state: IState): boolean {
  const { principal } = state;
  return (
    lock.kind === 'site' ||
    lock.kind === 'target' ||
    lock.kind === 'server' ||
    (lock.kind === 'role' && principal.roles.includes(lock.name)) ||
    (lock.kind === 'user' && lock.name === principal.name) ||
    principal.roles.includes('admin')
  );
}
