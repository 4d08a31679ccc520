import { useCallback, useEffect, useRef, useState } from 'react';

import type { IRunsApi } from '../api';
import type { IRunPage, IRunSummary } from '../contract';
import { usePanel } from '../panel/context';
import { Problem } from '../problem';
import type { IRunQuery } from './query';
import { queryString } from './query';

/** The runs that a query finds, page by page. */
export interface IFoundRuns {
  /** Null until the first page came. */
  runs: readonly IRunSummary[] | null;
  hasMore: boolean;
  busy: boolean;
  problem: Problem | null;
  more: () => void;
  again: () => void;
}

/** The first pages of what a query finds. */
async function pagesOf(
  api: IRunsApi,
  query: IRunQuery,
  now: number,
  count: number
): Promise<IRunPage> {
  const runs: IRunSummary[] = [];
  let next: string | null = null;
  for (let page = 0; page < count; page++) {
    const answer = await api.runs(queryString(query, now, next ?? undefined));
    runs.push(...answer.runs);
    next = answer.next;
    if (next === null) {
      break;
    }
  }
  return { runs, next };
}

/** How long typing rests before the server is asked (ms). */
const REST = 250;

/**
 * Follow what a query finds.
 *
 * @param query - What is looked for.
 * @param newest - Changes whenever the newest runs did; the pages that are shown are then read again.
 */
export function useRuns(query: IRunQuery, newest: string): IFoundRuns {
  const { model, runs: api } = usePanel();
  const [runs, setRuns] = useState<readonly IRunSummary[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const asked = useRef(0);
  const pages = useRef(1);
  const shown = useRef(false);
  const latest = useRef(query);
  latest.current = query;
  const key = JSON.stringify(query);

  const read = useCallback(
    async (count: number) => {
      const number = ++asked.current;
      const isLate = () => number !== asked.current;
      setBusy(true);
      try {
        const found = await pagesOf(api, latest.current, model.now(), count);
        if (!isLate()) {
          shown.current = true;
          setRuns(found.runs);
          setNext(found.next);
          setProblem(null);
        }
      } catch (error) {
        if (!isLate()) {
          setProblem(Problem.from(error));
        }
      }
      if (!isLate()) {
        setBusy(false);
      }
    },
    [api, model]
  );

  useEffect(() => {
    pages.current = 1;
    const timer = setTimeout(() => void read(1), shown.current ? REST : 0);
    return () => clearTimeout(timer);
  }, [key, attempt, read]);

  useEffect(() => {
    if (shown.current) {
      void read(pages.current);
    }
  }, [newest, read]);

  useEffect(() => () => void ++asked.current, []);

  return {
    runs,
    hasMore: next !== null,
    busy,
    problem,
    more: () => {
      pages.current += 1;
      void read(pages.current);
    },
    again: () => setAttempt(attempt + 1)
  };
}
