import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFinding, ILock, IState } from './contract';

/** What a lock holds for, in words. */
export function lockTitle(
  lock: ILock,
  state: IState,
  trans: TranslationBundle
): string {
  const target = state.targets.find(one => one.name === lock.name);
  return {
    site: trans.__('Everything is locked'),
    user:
      lock.name === state.principal.name
        ? trans.__('You are locked out')
        : trans.__('%1 is locked out', lock.name),
    role: trans.__('The role %1 is locked', lock.name),
    server: trans.__('This server is locked'),
    target: trans.__('%1 is locked', target?.title ?? lock.name)
  }[lock.kind];
}

/** How bad a finding is, in words. */
export function saySeverity(
  severity: IFinding['severity'],
  trans: TranslationBundle
): string {
  return {
    critical: trans.__('critical'),
    high: trans.__('high'),
    medium: trans.__('medium'),
    low: trans.__('low'),
    info: trans.__('info')
  }[severity];
}
