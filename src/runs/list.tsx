import React, { useId } from 'react';

import type { IRunSummary, IState } from '../contract';
import { Choice, Filters } from '../panel/choice';
import { usePanel } from '../panel/context';
import { FoundList, NoMatch } from '../panel/found';
import { Empty } from '../panel/parts';
import { RunRow } from '../panel/runs';
import { usePages } from '../panel/usePages';
import type { Period } from '../period';
import { periods } from '../period';
import type { IRunQuery } from './query';
import { EVERYTHING, isRestricted, queryString } from './query';
import type { Pair } from './tab';

const FRAMEWORKS = ['qiskit', 'cirq', 'braket', 'pennylane'];

interface IRunListProps {
  state: IState;
  query: IRunQuery;
  picked: readonly string[];
  onQuery: (query: IRunQuery) => void;
  onPick: (picked: readonly string[]) => void;
  onOpen: (id: string) => void;
  onCompare: (pair: Pair) => void;
}

/** The runs that a search and filters leave, newest first; two of them can be picked to compare. */
export function RunList(props: IRunListProps): JSX.Element {
  const { api, model, trans } = usePanel();
  const { query, picked, state } = props;
  const newest = state.runs.map(run => run.run_id + run.status).join();
  const found = usePages<IRunSummary>(
    async next => {
      const page = await api.runs(queryString(query, model.now(), next));
      return { items: page.runs, next: page.next };
    },
    JSON.stringify(query),
    newest
  );
  return (
    <div className="jp-Qsec-runsTab">
      {state.mode === 'enforce' ? (
        <p className="jp-Qsec-note">
          {trans.__(
            'Enforced: a run is submitted only when a grant and the policy allow it.'
          )}
        </p>
      ) : null}
      <RunFilters {...props} />
      <Comparison {...props} runs={found.items ?? []} />
      <FoundList
        label={trans.__('Recorded runs')}
        found={found}
        nothing={<Nothing {...props} />}
        row={run => (
          <RunRow
            key={run.run_id}
            run={run}
            onOpen={props.onOpen}
            picked={picked.includes(run.run_id)}
            onPick={on => props.onPick(pick(picked, run.run_id, on))}
          />
        )}
      />
    </div>
  );
}

/** Two can be picked; a third takes the place of the one picked first. */
function pick(
  picked: readonly string[],
  id: string,
  on: boolean
): readonly string[] {
  const others = picked.filter(other => other !== id);
  return on ? [...others, id].slice(-2) : others;
}

function RunFilters(props: IRunListProps): JSX.Element {
  const { trans } = usePanel();
  const { query, onQuery, state } = props;
  const id = useId();
  const change = (changes: Partial<IRunQuery>) =>
    onQuery({ ...query, ...changes });
  const backends = [
    ...new Set([
      ...state.runs.map(run => run.backend),
      ...(query.backend ? [query.backend] : [])
    ])
  ].sort();
  return (
    <Filters label={trans.__('Find runs')}>
      <input
        id={`${id}-search`}
        type="search"
        className="jp-Qsec-input"
        placeholder={trans.__('Search id, backend, notebook, hash')}
        aria-label={trans.__('Search runs')}
        value={query.search}
        onChange={event => change({ search: event.target.value })}
      />
      <Choice
        label={trans.__('Framework')}
        value={query.framework}
        options={[
          ['', trans.__('Any framework')],
          ...FRAMEWORKS.map(name => [name, name] as const)
        ]}
        onChange={framework => change({ framework })}
      />
      <Choice
        label={trans.__('Backend')}
        value={query.backend}
        options={[
          ['', trans.__('Any backend')],
          ...backends.map(name => [name, name] as const)
        ]}
        onChange={backend => change({ backend })}
      />
      <Choice
        label={trans.__('Status')}
        value={query.status}
        options={[
          ['', trans.__('Any status')],
          ['done', trans.__('Done')],
          ['running', trans.__('Running')],
          ['failed', trans.__('Failed')],
          ['unknown', trans.__('Outcome not recorded')]
        ]}
        onChange={status => change({ status: status as IRunQuery['status'] })}
      />
      <Choice
        label={trans.__('Time')}
        value={query.period}
        options={periods(trans)}
        onChange={period => change({ period: period as Period })}
      />
    </Filters>
  );
}

function Comparison(
  props: IRunListProps & { runs: readonly IRunSummary[] }
): JSX.Element | null {
  const { trans } = usePanel();
  const { picked } = props;
  if (picked.length === 0) {
    return null;
  }
  // The list is newest first; what is not in it any more keeps the order in which it was picked.
  const rank = (id: string) => props.runs.findIndex(run => run.run_id === id);
  const [older, newer] = [...picked].sort((a, b) => rank(b) - rank(a));
  return (
    <div className="jp-Qsec-comparison" role="status">
      <span className="jp-Qsec-main">
        {picked.length === 1
          ? trans.__('Pick a second run to compare with')
          : trans.__('Two runs picked')}
      </span>
      <button
        type="button"
        className="jp-Qsec-button"
        onClick={() => props.onPick([])}
      >
        {trans.__('Clear')}
      </button>
      <button
        type="button"
        className="jp-Qsec-button jp-mod-primary"
        disabled={picked.length < 2}
        onClick={() => props.onCompare([older, newer])}
      >
        {trans.__('Compare')}
      </button>
    </div>
  );
}

function Nothing(props: IRunListProps): JSX.Element {
  const { trans } = usePanel();
  if (!isRestricted(props.query)) {
    return (
      <Empty>
        {trans.__(
          'No run yet. Circuits that a notebook runs are recorded and signed by themselves.'
        )}
      </Empty>
    );
  }
  return (
    <NoMatch
      text={trans.__('No run matches.')}
      onClear={() => props.onQuery(EVERYTHING)}
    />
  );
}
