import type { ICheck, ILock, IState } from './contract';

/** A lock of somebody else's is not for this person to read, unless they may lift it. */
export function locksOf(state: IState): ILock[] {
  const { principal } = state;
  return state.locks.filter(
    lock =>
      lock.kind === 'site' ||
      lock.kind === 'target' ||
      lock.kind === 'server' ||
      (lock.kind === 'role' && principal.roles.includes(lock.name)) ||
      (lock.kind === 'user' && lock.name === principal.name) ||
      principal.roles.includes('admin')
  );
}

/** Failing checks of what credentials come from; the rest stands at the panel's foot. */
export function outagesOf(state: IState): ICheck[] {
  return state.health.checks.filter(
    check => !check.ok && STORES.has(check.name.replace(/\.login$/, ''))
  );
}

const STORES: ReadonlySet<string> = new Set(['vault', 'gateway']);
