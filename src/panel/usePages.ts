import { useCallback, useEffect, useRef, useState } from 'react';

import { Problem } from '../problem';

/** One page of a list, and where the next one begins. */
export interface IPage<T> {
  items: readonly T[];
  next: string | null;
}

/** What a query finds, page by page. */
export interface IFound<T> {
  /** Null until the first page came. */
  items: readonly T[] | null;
  hasMore: boolean;
  busy: boolean;
  problem: Problem | null;
  more: () => void;
  again: () => void;
}

type Ask<T> = (next: string | null) => Promise<IPage<T>>;

/** How long typing rests before the server is asked (ms). */
const REST = 250;

/** The first pages of what is asked for. */
async function pagesOf<T>(ask: Ask<T>, count: number): Promise<IPage<T>> {
  const items: T[] = [];
  let next: string | null = null;
  for (let page = 0; page < count; page++) {
    const answer: IPage<T> = await ask(next);
    items.push(...answer.items);
    next = answer.next;
    if (next === null) {
      break;
    }
  }
  return { items, next };
}

/**
 * Follow what a query finds.
 *
 * @param ask - Asks for the page that begins at a place, or for the first.
 * @param key - Changes whenever something else is asked for.
 * @param newest - Changes whenever there is news; the pages that are shown are then read again.
 */
export function usePages<T>(
  ask: Ask<T>,
  key: string,
  newest: string
): IFound<T> {
  const [found, setFound] = useState<IPage<T> | null>(null);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const asked = useRef(0);
  const pages = useRef(1);
  const shown = useRef(false);
  const latest = useRef(ask);
  latest.current = ask;

  const read = useCallback(async (count: number) => {
    const number = ++asked.current;
    const isLate = () => number !== asked.current;
    setBusy(true);
    try {
      const answer = await pagesOf(latest.current, count);
      if (!isLate()) {
        shown.current = true;
        setFound(answer);
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
  }, []);

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
    items: found?.items ?? null,
    hasMore: (found?.next ?? null) !== null,
    busy,
    problem,
    more: () => {
      pages.current += 1;
      void read(pages.current);
    },
    again: () => setAttempt(attempt + 1)
  };
}
