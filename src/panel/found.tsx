import React from 'react';

import { usePanel } from './context';
import { ProblemCard, Skeleton } from './parts';
import type { IFound } from './usePages';

/** A list that comes page by page, with what there is to say while it does not. */
export function FoundList<T>(props: {
  label: string;
  found: IFound<T>;
  row: (item: T) => JSX.Element;
  /** What to say when nothing was found. */
  nothing: React.ReactNode;
}): JSX.Element {
  const { trans } = usePanel();
  const { found } = props;
  const { items, problem } = found;
  return (
    <>
      {problem ? (
        <ProblemCard problem={problem}>
          <button
            type="button"
            className="jp-Qsec-button"
            onClick={found.again}
          >
            {trans.__('Try again')}
          </button>
        </ProblemCard>
      ) : null}
      {items === null && !problem ? <Skeleton /> : null}
      {items?.length === 0 ? props.nothing : null}
      {items?.length ? (
        <ul
          className="jp-Qsec-list"
          aria-label={props.label}
          aria-busy={found.busy}
        >
          {items.map(props.row)}
        </ul>
      ) : null}
      {found.hasMore ? (
        <button
          type="button"
          className="jp-Qsec-more"
          disabled={found.busy}
          onClick={found.more}
        >
          {trans.__('Show more')}
        </button>
      ) : null}
    </>
  );
}

/** What a search says that found nothing, with the way out of it. */
export function NoMatch(props: {
  text: string;
  onClear: () => void;
}): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="jp-Qsec-empty">
      <p>{props.text}</p>
      <button type="button" className="jp-Qsec-button" onClick={props.onClear}>
        {trans.__('Clear search and filters')}
      </button>
    </div>
  );
}
