import type { TranslationBundle } from '@jupyterlab/translation';

import type { IJob } from '../contract';

/** The states of a job, in words. */
export function jobStates(
  trans: TranslationBundle
): ReadonlyArray<readonly [IJob['state'], string]> {
  return [
    ['intended', trans.__('About to be sent')],
    ['sent', trans.__('Sent')],
    ['accepted', trans.__('Taken by the provider')],
    ['done', trans.__('Done')],
    ['cancelled', trans.__('Cancelled')],
    ['refused', trans.__('Refused')],
    ['unknown', trans.__('Outcome not known yet')],
    ['lost', trans.__('Lost on the way')]
  ];
}

/** One of them. */
export function sayJobState(
  state: IJob['state'],
  trans: TranslationBundle
): string {
  return jobStates(trans).find(([name]) => name === state)?.[1] ?? state;
}
