import { usersIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IState } from '../contract';
import { usePanel } from './context';

/** Who else is at a kernel of this person's, and what that means: it gets the least that all of them may do. */
export function Presence(props: { state: IState }): JSX.Element | null {
  const { notebooks, trans } = usePanel();
  const { shared } = props.state;
  if (shared.length === 0) {
    return null;
  }
  return (
    <div className="jp-Qsec-banner jp-mod-info" role="status">
      {shared.map(kernel => (
        <p key={kernel.kernel_id} className="jp-Qsec-row">
          <usersIcon.react tag="span" className="jp-Qsec-icon" />
          <span className="jp-Qsec-main">
            <strong>
              {trans.__(
                '%1 is shared with %2.',
                notebooks.nameOfKernel(kernel.kernel_id) ??
                  trans.__('kernel %1', kernel.kernel_id.slice(0, 8)),
                kernel.present.join(', ')
              )}
            </strong>
            <span>
              {kernel.roles.length > 0
                ? trans.__(
                    'It may do what all of you may: %1.',
                    kernel.roles.join(', ')
                  )
                : trans.__(
                    'It may ask for nothing while somebody without a role is there.'
                  )}
            </span>
          </span>
        </p>
      ))}
    </div>
  );
}
