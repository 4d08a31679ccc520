import { lockIcon, userIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IState } from '../contract';
import { sayServer } from '../serverTexts';
import { usePanel } from './context';

/** Who you are, how that is known, and which store stands behind the credentials. */
export function Identity(props: { state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { principal, vault } = props.state;
  const provider = sayServer(principal.identity_provider, trans);
  const known = principal.mfa
    ? trans.__('%1, with %2', provider, principal.mfa)
    : provider;
  return (
    <dl
      className="jp-Qsec-identity"
      aria-label={trans.__('Identity and vault')}
    >
      <div className="jp-Qsec-fact">
        <dt>
          <userIcon.react tag="span" className="jp-Qsec-icon" />
          <span className="jp-Qsec-hidden">{trans.__('You')}</span>
        </dt>
        <dd>
          <span className="jp-Qsec-strong">
            {principal.display_name || principal.name}
          </span>
          <span className="jp-Qsec-dim">{known}</span>
        </dd>
      </div>
      <div className="jp-Qsec-fact">
        <dt>
          <lockIcon.react tag="span" className="jp-Qsec-icon" />
          <span className="jp-Qsec-hidden">{trans.__('Vault in use')}</span>
        </dt>
        <dd>
          <span className="jp-Qsec-strong">
            {sayServer(vault.label, trans)}
          </span>
          {vault.address ? (
            <span className="jp-Qsec-dim">{vault.address}</span>
          ) : null}
        </dd>
      </div>
    </dl>
  );
}
