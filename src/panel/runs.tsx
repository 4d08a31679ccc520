import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  infoIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { IRunSummary, IState } from '../contract';
import { age } from '../countdown';
import { usePanel } from './context';
import { CopyButton, Empty, List, Section } from './parts';

/** The last circuits that ran, each with its signed record. */
export function Runs(props: { state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { runs } = props.state;
  return (
    <Section title={trans.__('Runs')} count={runs.length}>
      {runs.length === 0 ? (
        <Empty>
          {trans.__(
            'No run yet. Circuits that a notebook runs are recorded and signed by themselves.'
          )}
        </Empty>
      ) : (
        <List items={runs} row={run => <Run key={run.run_id} run={run} />} />
      )}
    </Section>
  );
}

function Run(props: { run: IRunSummary }): JSX.Element {
  const { model, trans } = usePanel();
  const { run } = props;
  const Icon = {
    running: circleEmptyIcon,
    done: checkIcon,
    failed: errorIcon,
    unknown: infoIcon
  }[run.status];
  const status = {
    running: trans.__('Running'),
    done: trans.__('Done'),
    failed: trans.__('Failed'),
    unknown: trans.__('Outcome not recorded')
  }[run.status];
  const facts = [
    run.backend,
    trans._n('%1 circuit', '%1 circuits', run.circuits),
    run.shots ? trans._n('%1 shot', '%1 shots', run.shots) : ''
  ];
  const statement = run.completion ?? run.intent;
  const signed =
    typeof run.ledger_index === 'number'
      ? trans.__('Entry %1, signed by %2', run.ledger_index, run.signed_by)
      : trans.__('Signed by %1', run.signed_by);
  return (
    <li className={`jp-Qsec-item jp-Qsec-run jp-mod-${run.status}`}>
      <div className="jp-Qsec-row">
        <span
          className="jp-Qsec-status"
          role="img"
          aria-label={status}
          title={status}
        >
          <Icon.react tag="span" className="jp-Qsec-icon" />
        </span>
        <div className="jp-Qsec-main">
          <span className="jp-Qsec-strong" title={run.operation}>
            {run.operation.split('.').slice(-2).join('.')}
          </span>
          <span className="jp-Qsec-dim">
            {facts.filter(Boolean).join(' · ')}
          </span>
          <span className="jp-Qsec-dim">{signed}</span>
          <span className="jp-Qsec-copies">
            <CopyButton text={run.run_id} label={trans.__('Run id')} />
            {statement ? (
              <CopyButton text={statement} label={trans.__('Statement')} />
            ) : null}
          </span>
          {run.gaps.map(gap => (
            <span key={gap} className="jp-Qsec-gap">
              <infoIcon.react tag="span" className="jp-Qsec-icon" />
              {trans.__('Not recorded: %1', gap)}
            </span>
          ))}
        </div>
        <span className="jp-Qsec-age" title={run.started_at}>
          {age(run.started_at, model.now())}
        </span>
      </div>
    </li>
  );
}
