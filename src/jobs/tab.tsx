import React, { useState } from 'react';

import type { IJob, IState } from '../contract';
import { Choice, Filters } from '../panel/choice';
import { usePanel } from '../panel/context';
import { FoundList, NoMatch } from '../panel/found';
import { Empty } from '../panel/parts';
import { usePages } from '../panel/usePages';
import { JobExposure } from './exposure';
import { JobRow } from './row';
import { jobStates } from './words';

/** The jobs that went through the gateway: what became of each, at what cost, and what its vendor sees of it. */
export function Jobs(props: { state: IState }): JSX.Element {
  const { api, trans } = usePanel();
  const { state } = props;
  const [target, setTarget] = useState('');
  const [status, setStatus] = useState('');
  const [shown, setShown] = useState<IJob | null>(null);
  const found = usePages<IJob>(
    async () => ({ items: await api.jobs(target, status), next: null }),
    `${target} ${status}`,
    `${state.newest_event}`
  );
  if (shown) {
    return <JobExposure job={shown} onBack={() => setShown(null)} />;
  }
  const proxied = state.targets.filter(one => one.tier === 'proxy');
  return (
    <>
      <Filters label={trans.__('Find jobs')}>
        <Choice
          label={trans.__('Target')}
          value={target}
          options={[
            ['', trans.__('Any target')],
            ...proxied.map(one => [one.name, one.title] as const)
          ]}
          onChange={setTarget}
        />
        <Choice
          label={trans.__('Status')}
          value={status}
          options={[['', trans.__('Any status')], ...jobStates(trans)]}
          onChange={setStatus}
        />
      </Filters>
      <FoundList
        label={trans.__('Jobs')}
        found={found}
        nothing={
          target || status ? (
            <NoMatch
              text={trans.__('No job matches.')}
              onClear={() => {
                setTarget('');
                setStatus('');
              }}
            />
          ) : (
            <Empty>
              {trans.__(
                'No job yet. Ask for a target with a gateway, then submit as usual: qsec.runtime_service(…).'
              )}
            </Empty>
          )
        }
        row={job => (
          <JobRow
            key={job.correlation_id}
            job={job}
            state={state}
            onExposure={() => setShown(job)}
          />
        )}
      />
    </>
  );
}
