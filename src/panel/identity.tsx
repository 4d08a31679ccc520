import type { LabIcon } from '@jupyterlab/ui-components';
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
      <Fact icon={userIcon} label={trans.__('You')} more={known}>
        {principal.display_name || principal.name}
      </Fact>
      <Fact
        icon={lockIcon}
        label={trans.__('Vault in use')}
        more={vault.address}
      >
        {sayServer(vault.label, trans)}
      </Fact>
    </dl>
  );
}

function Fact(props: {
  icon: LabIcon;
  label: string;
  more: string | null;
  children: string;
}): JSX.Element {
  const { icon, label, more, children } = props;
  return (
    <div className="jp-Qsec-fact">
      <dt>
        <icon.react tag="span" className="jp-Qsec-icon" />
        <span className="jp-Qsec-hidden">{label}</span>
      </dt>
      <dd>
        <span className="jp-Qsec-strong">{children}</span>
        {more ? <span className="jp-Qsec-dim">{more}</span> : null}
      </dd>
    </div>
  );
}
