import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  infoIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { IJob, IState } from '../contract';
import { sayMoment } from '../countdown';
import { Age } from '../panel/age';
import { targetTitle, useAction, usePanel } from '../panel/context';
import type { Term } from '../panel/parts';
import { CopyButton, ProblemCard, Terms } from '../panel/parts';
import { sayJobState } from './words';

const ENDS: ReadonlySet<string> = new Set(['sent', 'accepted', 'unknown']);

/** One job: where it went and what became of it; ids, cost and the ways on unfold. */
export function JobRow(props: {
  job: IJob;
  state: IState;
  onExposure: () => void;
}): JSX.Element {
  const { api, trans } = usePanel();
  const { job, state } = props;
  const { busy, problem, run } = useAction();
  const said = sayJobState(job.state, trans);
  const facts = [
    said,
    targetTitle(state, job.target),
    job.circuits === null
      ? ''
      : trans._n('%1 circuit', '%1 circuits', job.circuits),
    job.shots === null ? '' : trans._n('%1 shot', '%1 shots', job.shots)
  ];
  return (
    <li className="jp-Qsec-item jp-Qsec-event">
      <details>
        <summary>
          <Mark state={job.state} />
          <span className="jp-Qsec-main">
            <span className="jp-Qsec-strong">
              {[job.program, job.backend].filter(Boolean).join(' · ')}
            </span>
            <span className="jp-Qsec-dim">
              {facts.filter(Boolean).join(' · ')}
            </span>
          </span>
          <Age moment={job.intended_at} />
        </summary>
        <Facts job={job} state={state} />
        <div className="jp-Qsec-buttons">
          <button
            type="button"
            className="jp-Qsec-button"
            onClick={props.onExposure}
          >
            {trans.__('What the vendor sees')}
          </button>
          {ENDS.has(job.state) ? (
            <button
              type="button"
              className="jp-Qsec-button"
              disabled={busy}
              onClick={() => void run(() => api.cancelJob(job.correlation_id))}
            >
              {trans.__('Cancel the job')}
            </button>
          ) : null}
        </div>
        {problem ? <ProblemCard problem={problem} /> : null}
      </details>
    </li>
  );
}

function Facts(props: { job: IJob; state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { job, state } = props;
  const currency = state.targets.find(one => one.name === job.target)?.price
    ?.currency;
  const terms: Term[] = [
    [
      trans.__('Job'),
      job.job_id && <CopyButton text={job.job_id} label={job.job_id} />
    ],
    [
      trans.__('Correlation'),
      <CopyButton
        key="id"
        text={job.correlation_id}
        label={job.correlation_id.slice(0, 12)}
      />
    ],
    [trans.__('Asked by'), job.requester],
    [trans.__('Ticket'), job.ticket],
    [trans.__('Project'), job.project],
    [trans.__('Region'), job.region],
    [
      trans.__('Costs about'),
      job.cost === null
        ? null
        : [job.cost.toFixed(2), currency].filter(Boolean).join(' ')
    ],
    [
      trans.__('Used'),
      job.usage_seconds === null
        ? null
        : trans.__('%1 s on the device', job.usage_seconds)
    ],
    [trans.__('Ended'), job.ended_at && sayMoment(job.ended_at)],
    [trans.__('Rules'), job.policies?.join(', ')],
    [trans.__('Evidence'), trans.__('seen by the control plane')]
  ];
  return <Terms terms={terms} />;
}

/** For the eye; the state stands beside it in words. */
function Mark(props: { state: IJob['state'] }): JSX.Element {
  const { state } = props;
  const [Icon, mood] =
    state === 'done' || state === 'accepted'
      ? [checkIcon, 'redacted']
      : state === 'refused' || state === 'lost'
        ? [errorIcon, 'not-covered']
        : state === 'unknown'
          ? [infoIcon, 'reported']
          : [circleEmptyIcon, 'scanned'];
  return (
    <span className={`jp-Qsec-status jp-mod-${mood}`} aria-hidden="true">
      <Icon.react tag="span" className="jp-Qsec-icon" />
    </span>
  );
}
