import { URLExt } from '@jupyterlab/coreutils';
import React, { useState } from 'react';

import type { IEvent, IState } from '../contract';
import { Choice, Filters } from '../panel/choice';
import { usePanel } from '../panel/context';
import { FoundList, NoMatch } from '../panel/found';
import { Empty } from '../panel/parts';
import { usePages } from '../panel/usePages';
import type { Period } from '../period';
import { periods, since } from '../period';
import { EventRow } from './row';
import { families } from './words';

/** How many events one page holds. */
const PAGE = 25;

interface IEventFilter {
  kind: string;
  target: string;
  period: Period;
}

const EVERYTHING: IEventFilter = { kind: '', target: '', period: 'any' };

/** What happened: everything that concerns this person, newest first, as the ledger has it. */
export function Activity(props: { state: IState }): JSX.Element {
  const { api, model, trans } = usePanel();
  const { state } = props;
  const [filter, setFilter] = useState(EVERYTHING);
  const [seesAll, setSeesAll] = useState(false);
  const found = usePages<IEvent>(
    async next => {
      const query = queryString(filter, model.now(), next);
      const page = await api.events(query);
      setSeesAll(page.all);
      return { items: page.events, next: textOf(page.next) };
    },
    JSON.stringify(filter),
    `${state.newest_event}`
  );
  const isRestricted = Object.values(filter).some(one => one && one !== 'any');
  return (
    <>
      <EventFilters filter={filter} state={state} onFilter={setFilter} />
      <p className="jp-Qsec-note" role="status">
        {seesAll
          ? trans.__('You may see what happened to everybody.')
          : trans.__(
              'You see what concerns you. Nobody can change it unnoticed.'
            )}
      </p>
      <FoundList
        label={trans.__('Activity')}
        found={found}
        nothing={
          isRestricted ? (
            <NoMatch
              text={trans.__('Nothing matches.')}
              onClear={() => setFilter(EVERYTHING)}
            />
          ) : (
            <Empty>{trans.__('Nothing has happened yet.')}</Empty>
          )
        }
        row={event => (
          <EventRow key={event.position} event={event} state={state} />
        )}
      />
    </>
  );
}

function EventFilters(props: {
  filter: IEventFilter;
  state: IState;
  onFilter: (filter: IEventFilter) => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { filter, onFilter, state } = props;
  return (
    <Filters label={trans.__('Find events')}>
      <Choice
        label={trans.__('Kind')}
        value={filter.kind}
        options={families(trans)}
        onChange={kind => onFilter({ ...filter, kind })}
      />
      <Choice
        label={trans.__('Target')}
        value={filter.target}
        options={[
          ['', trans.__('Any target')],
          ...state.targets.map(one => [one.name, one.title] as const)
        ]}
        onChange={target => onFilter({ ...filter, target })}
      />
      <Choice
        label={trans.__('Time')}
        value={filter.period}
        options={periods(trans)}
        onChange={period => onFilter({ ...filter, period: period as Period })}
      />
    </Filters>
  );
}

function queryString(
  { kind, target, period }: IEventFilter,
  now: number,
  before: string | null
): string {
  const fields = {
    kind,
    target,
    since: since(period, now),
    before: before ?? '',
    limit: `${PAGE}`
  };
  return URLExt.objectToQueryString(
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value))
  );
}

function textOf(position: number | null): string | null {
  return position === null ? null : `${position}`;
}
