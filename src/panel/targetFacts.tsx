import { lockIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ITarget } from '../contract';
import { spell } from '../countdown';
import { usePanel } from './context';

/** A target in one line: whose it is, for what, who agrees, how long at most. */
export function useFacts(target: ITarget): string {
  const { trans } = usePanel();
  return [
    target.provider,
    target.environment === 'dev' ? '' : environment(target, trans),
    target.approval === 'auto'
      ? trans.__('auto-approved')
      : trans.__('needs approval'),
    trans.__('max %1', spell(target.max_duration))
  ]
    .filter(Boolean)
    .join(' · ');
}

function environment(target: ITarget, trans: TranslationBundle): string {
  return {
    dev: trans.__('development'),
    test: trans.__('test'),
    pilot: trans.__('pilot'),
    production: trans.__('production')
  }[target.environment];
}

/** Where the key is, when it stays out of the kernel. */
export function Tier(props: { target: ITarget }): JSX.Element | null {
  const { trans } = usePanel();
  const { tier } = props.target;
  if (tier === 'deliver') {
    return null;
  }
  return (
    <p className="jp-Qsec-tier jp-Qsec-secondary">
      <lockIcon.react tag="span" className="jp-Qsec-icon" />
      {tier === 'proxy'
        ? trans.__('The key never reaches the kernel: jobs go by the gateway.')
        : trans.__(
            'The key never leaves its store: it signs and encrypts there.'
          )}
    </p>
  );
}
