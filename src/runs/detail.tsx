import { PathExt } from '@jupyterlab/coreutils';
import { infoIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IRun } from '../contract';
import { sayMoment, spell } from '../countdown';
import { usePanel } from '../panel/context';
import { CopyButton } from '../panel/parts';
import { nameOf, StatusMark, useStatus } from '../panel/runs';
import { Page } from './page';
import { recorded } from './statement';
import { useAnswer } from './useAnswer';

/** Circuits of one run that are listed; all are counted. */
const LISTED = 5;

/** One run: what, where, when, by which circuit and environment, who signed it, and how to cite it. */
export function RunDetail(props: {
  id: string;
  onBack: () => void;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { api, trans } = usePanel();
  const answer = useAnswer(props.id, () => api.run(props.id));
  return (
    <Page title={trans.__('Run')} answer={answer} onBack={props.onBack}>
      {run => <Detail run={run} onOpen={props.onOpen} />}
    </Page>
  );
}

function Detail(props: {
  run: IRun;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { run } = props;
  const { summary } = run;
  const status = useStatus(summary.status);
  return (
    <>
      <div className={`jp-Qsec-pageTitle jp-Qsec-run jp-mod-${summary.status}`}>
        <StatusMark status={summary.status} />
        <h3 className="jp-Qsec-strong" title={summary.operation}>
          {nameOf(summary)}
        </h3>
        <span className="jp-Qsec-dim">{status}</span>
      </div>
      <Facts run={run} />
      <div className="jp-Qsec-pageActions">
        <CopyButton text={summary.run_id} label={trans.__('Run id')} />
        <CopyButton text={run.citation.text} label={trans.__('Citation')} />
        <CopyButton text={run.citation.bibtex} label={trans.__('BibTeX')} />
      </div>
      <Gaps gaps={summary.gaps} />
      <Children run={run} onOpen={props.onOpen} />
    </>
  );
}

function Facts(props: { run: IRun }): JSX.Element {
  const { notebooks, trans } = usePanel();
  const { run } = props;
  const { summary } = run;
  const known = recorded(run);
  const { notebook } = summary;
  return (
    <dl className="jp-Qsec-facts">
      <Fact name={trans.__('Backend')}>
        {[summary.backend, known.backendVersion].filter(Boolean).join(' ')}
      </Fact>
      <Fact name={trans.__('Circuits')}>
        <Circuits run={run} />
      </Fact>
      <Fact name={trans.__('Shots')}>{summary.shots}</Fact>
      <Fact name={trans.__('Seeds')}>{known.seeds.join(', ')}</Fact>
      <Fact name={trans.__('Started')}>{sayMoment(summary.started_at)}</Fact>
      <Fact name={trans.__('Took')}>
        {took(summary.started_at, summary.ended_at)}
      </Fact>
      <Fact name={trans.__('Error')}>{known.errorType}</Fact>
      <Fact name={trans.__('Job')}>{summary.job_id}</Fact>
      <Fact name={trans.__('Notebook')}>
        {notebook ? (
          <button
            type="button"
            className="jp-Qsec-link"
            title={notebook}
            onClick={() =>
              void notebooks.reveal({
                path: notebook,
                cell_id: known.cell,
                cell: null
              })
            }
          >
            {PathExt.basename(notebook)}
          </button>
        ) : null}
      </Fact>
      <Fact name={trans.__('Commit')}>
        {known.commit ? <Digest value={known.commit} /> : null}
      </Fact>
      <Fact name={trans.__('Environment')}>
        {[
          known.python ? `Python ${known.python}` : '',
          known.packages === null
            ? ''
            : trans._n('%1 package', '%1 packages', known.packages)
        ]
          .filter(Boolean)
          .join(', ')}
      </Fact>
      <Fact name={trans.__('Result')}>
        {known.result ? <Digest value={known.result} /> : null}
      </Fact>
      <Fact name={trans.__('Grant')}>{summary.grant_id}</Fact>
      <Fact name={trans.__('Signed by')}>{summary.signed_by}</Fact>
      <Fact name={trans.__('Ledger')}>
        {[run.ledger.intent, run.ledger.completion]
          .filter(index => typeof index === 'number')
          .map(index => trans.__('entry %1', index))
          .join(', ')}
      </Fact>
    </dl>
  );
}

/** One line of what is known; nothing where nothing is known. */
function Fact(props: {
  name: string;
  children: React.ReactNode;
}): JSX.Element | null {
  const { children } = props;
  if (children === null || children === undefined || children === '') {
    return null;
  }
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Circuits(props: { run: IRun }): JSX.Element {
  const { trans } = usePanel();
  const { circuits } = recorded(props.run);
  return (
    <>
      {circuits.slice(0, LISTED).map((circuit, index) => (
        <span key={index} className="jp-Qsec-circuit">
          {circuit.digest ? <Digest value={circuit.digest} /> : null}
          <span className="jp-Qsec-dim">
            {[
              circuit.width === null ? '' : trans.__('width %1', circuit.width),
              circuit.depth === null ? '' : trans.__('depth %1', circuit.depth),
              circuit.size === null ? '' : trans.__('size %1', circuit.size)
            ]
              .filter(Boolean)
              .join(', ')}
          </span>
        </span>
      ))}
      {props.run.summary.circuits > Math.min(circuits.length, LISTED) ? (
        <span className="jp-Qsec-dim">
          {trans.__('%1 in all', props.run.summary.circuits)}
        </span>
      ) : null}
    </>
  );
}

/** The beginning of a digest; the whole of it is copied. */
function Digest(props: { value: string }): JSX.Element {
  return <CopyButton text={props.value} label={props.value.slice(0, 12)} />;
}

function Gaps(props: { gaps: readonly string[] }): JSX.Element | null {
  const { trans } = usePanel();
  if (props.gaps.length === 0) {
    return null;
  }
  return (
    <div className="jp-Qsec-pagePart">
      <h4>{trans.__('Not recorded')}</h4>
      <ul className="jp-Qsec-list">
        {props.gaps.map(gap => (
          <li key={gap} className="jp-Qsec-gap">
            <infoIcon.react tag="span" className="jp-Qsec-icon" />
            {gap}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Calls that the run made itself. */
function Children(props: {
  run: IRun;
  onOpen: (id: string) => void;
}): JSX.Element | null {
  const { trans } = usePanel();
  const { children, summary } = props.run;
  const parent = summary.parent_run_id;
  if (children.length === 0 && !parent) {
    return null;
  }
  return (
    <div className="jp-Qsec-pagePart">
      {parent ? (
        <button
          type="button"
          className="jp-Qsec-link"
          onClick={() => props.onOpen(parent)}
        >
          {trans.__('Part of another run')}
        </button>
      ) : null}
      {children.length > 0 ? (
        <>
          <h4>{trans.__('Calls inside this run')}</h4>
          <ul className="jp-Qsec-list">
            {children.map((child, index) => (
              <li key={index} className="jp-Qsec-dim">
                {`${child.operation ?? ''}`}
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  );
}

/** How long a run took: milliseconds below a second. */
function took(start: string, end: string | null): string {
  const length = end ? Date.parse(end) - Date.parse(start) : NaN;
  if (Number.isNaN(length) || length < 0) {
    return '';
  }
  return length < 1000 ? `${length} ms` : spell(Math.round(length / 1000));
}
