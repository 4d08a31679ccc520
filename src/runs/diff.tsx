import { checkIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IRunDifference, IRunSummary } from '../contract';
import { Age } from '../panel/age';
import { usePanel } from '../panel/context';
import { nameOf } from '../panel/runs';
import { Page } from './page';
import type { Pair } from './tab';
import { useAnswer } from './useAnswer';

type Group = IRunDifference['groups'][number];

/** What changed from one run to another: what differs first, what is the same in one line. */
export function RunDiff(props: {
  pair: Pair;
  onBack: () => void;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { api, trans } = usePanel();
  const [a, b] = props.pair;
  const answer = useAnswer(`${a} ${b}`, () => api.difference(a, b));
  const names: Record<Group['name'], string> = {
    circuit: trans.__('Circuit'),
    parameters: trans.__('Parameters'),
    backend: trans.__('Backend and calibration'),
    execution: trans.__('Execution'),
    environment: trans.__('Environment'),
    source: trans.__('Source'),
    result: trans.__('Result')
  };
  return (
    <Page
      title={trans.__('Two runs compared')}
      answer={answer}
      onBack={props.onBack}
    >
      {difference => {
        const same = difference.groups.filter(group => group.equal);
        return (
          <>
            <div className="jp-Qsec-pair">
              <Side
                title={trans.__('Before')}
                run={difference.a}
                onOpen={props.onOpen}
              />
              <Side
                title={trans.__('After')}
                run={difference.b}
                onOpen={props.onOpen}
              />
            </div>
            {difference.groups
              .filter(group => !group.equal)
              .map(group => (
                <Changes
                  key={group.name}
                  title={names[group.name]}
                  group={group}
                />
              ))}
            {same.length > 0 ? (
              <p className="jp-Qsec-same">
                <checkIcon.react tag="span" className="jp-Qsec-icon" />
                {trans.__(
                  'The same: %1',
                  same.map(group => names[group.name]).join(', ')
                )}
              </p>
            ) : null}
          </>
        );
      }}
    </Page>
  );
}

function Side(props: {
  title: string;
  run: IRunSummary;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { run } = props;
  return (
    <button
      type="button"
      className="jp-Qsec-side"
      onClick={() => props.onOpen(run.run_id)}
    >
      <span className="jp-Qsec-dim">
        {props.title} · <Age moment={run.started_at} />
      </span>
      <span className="jp-Qsec-strong">{nameOf(run)}</span>
      <span className="jp-Qsec-dim">{run.run_id.slice(0, 12)}</span>
    </button>
  );
}

function Changes(props: { title: string; group: Group }): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="jp-Qsec-pagePart">
      <h4>{props.title}</h4>
      <dl className="jp-Qsec-changes">
        {props.group.changes.map(change => (
          <React.Fragment key={change.field}>
            <dt>{change.field}</dt>
            <dd className="jp-mod-before">
              <span className="jp-Qsec-hidden">{trans.__('Before: ')}</span>
              <Value value={change.a} />
            </dd>
            <dd className="jp-mod-after">
              <span className="jp-Qsec-hidden">{trans.__('After: ')}</span>
              <Value value={change.b} />
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}

function Value(props: {
  value: string | number | boolean | null;
}): JSX.Element {
  const { trans } = usePanel();
  const { value } = props;
  if (value === null) {
    return <span className="jp-Qsec-absent">{trans.__('not there')}</span>;
  }
  const text = String(value);
  const isDigest = /^[0-9a-f]{40,}$/.test(text);
  return <span title={text}>{isDigest ? `${text.slice(0, 12)}…` : text}</span>;
}
