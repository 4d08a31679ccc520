import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  infoIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { IRunSummary, IState } from '../contract';
import { Age } from './age';
import { usePanel } from './context';
import { CopyButton, Empty, Section } from './parts';

/** How many of the last runs the overview shows. */
const LAST = 5;

/** The last circuits that ran; all of them are in their own tab. */
export function Runs(props: { state: IState; onAll: () => void }): JSX.Element {
  const { trans } = usePanel();
  const { runs } = props.state;
  return (
    <Section title={trans.__('Last runs')} count={runs.length}>
      {runs.length === 0 ? (
        <Empty>
          {trans.__(
            'No run yet. Circuits that a notebook runs are recorded and signed by themselves.'
          )}
        </Empty>
      ) : (
        <>
          <ul className="jp-Qsec-list">
            {runs.slice(0, LAST).map(run => (
              <RunRow key={run.run_id} run={run} />
            ))}
          </ul>
          <button type="button" className="jp-Qsec-more" onClick={props.onAll}>
            {trans.__('Search and compare all runs')}
          </button>
        </>
      )}
    </Section>
  );
}

/** One run in a list; it opens where `onOpen` is given, and can be picked where `onPick` is. */
export function RunRow(props: {
  run: IRunSummary;
  onOpen?: (id: string) => void;
  picked?: boolean;
  onPick?: (picked: boolean) => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { run, onOpen, onPick } = props;
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
        {onPick ? (
          <input
            type="checkbox"
            className="jp-Qsec-pick"
            checked={props.picked}
            aria-label={trans.__(
              'Compare %1 on %2, %3',
              nameOf(run),
              run.backend,
              run.run_id.slice(0, 8)
            )}
            onChange={event => onPick(event.target.checked)}
          />
        ) : null}
        <StatusMark status={run.status} />
        <div className="jp-Qsec-main">
          {onOpen ? (
            <button
              type="button"
              className="jp-Qsec-link jp-Qsec-strong"
              title={run.operation}
              onClick={() => onOpen(run.run_id)}
            >
              {nameOf(run)}
            </button>
          ) : (
            <span className="jp-Qsec-strong" title={run.operation}>
              {nameOf(run)}
            </span>
          )}
          <span className="jp-Qsec-dim">
            {facts.filter(Boolean).join(' · ')}
          </span>
          <span className="jp-Qsec-dim jp-Qsec-secondary">
            {onOpen && run.notebook ? run.notebook : signed}
          </span>
          {onOpen ? null : (
            <span className="jp-Qsec-copies jp-Qsec-secondary">
              <CopyButton text={run.run_id} label={trans.__('Run id')} />
              {statement ? (
                <CopyButton text={statement} label={trans.__('Statement')} />
              ) : null}
            </span>
          )}
          <Gaps run={run} brief={onOpen !== undefined} />
        </div>
        <Age moment={run.started_at} />
      </div>
    </li>
  );
}

function Gaps(props: { run: IRunSummary; brief: boolean }): JSX.Element | null {
  const { trans } = usePanel();
  const { gaps } = props.run;
  const shown =
    props.brief && gaps.length > 0
      ? [
          trans._n(
            '%1 thing not recorded',
            '%1 things not recorded',
            gaps.length
          )
        ]
      : gaps.map(gap => trans.__('Not recorded: %1', gap));
  return shown.length === 0 ? null : (
    <>
      {shown.map(text => (
        <span key={text} className="jp-Qsec-gap">
          <infoIcon.react tag="span" className="jp-Qsec-icon" />
          {text}
        </span>
      ))}
    </>
  );
}

/** A run's status as a sign; never by colour alone. */
export function StatusMark(props: {
  status: IRunSummary['status'];
}): JSX.Element {
  const status = useStatus(props.status);
  const Icon = {
    running: circleEmptyIcon,
    done: checkIcon,
    failed: errorIcon,
    unknown: infoIcon
  }[props.status];
  return (
    <span
      className="jp-Qsec-status"
      role="img"
      aria-label={status}
      title={status}
    >
      <Icon.react tag="span" className="jp-Qsec-icon" />
    </span>
  );
}

/** A run's status in words. */
export function useStatus(status: IRunSummary['status']): string {
  const { trans } = usePanel();
  return {
    running: trans.__('Running'),
    done: trans.__('Done'),
    failed: trans.__('Failed'),
    unknown: trans.__('Outcome not recorded')
  }[status];
}

/** The end of an operation's name: class and method. */
export function nameOf(run: IRunSummary): string {
  return run.operation.split('.').slice(-2).join('.');
}
