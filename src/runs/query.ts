import { URLExt } from '@jupyterlab/coreutils';

import type { IRunSummary } from '../contract';
import type { Period } from '../period';
import { since } from '../period';

/** What a person looks for among the runs; an empty field does not restrict. */
export interface IRunQuery {
  search: string;
  framework: string;
  backend: string;
  status: '' | IRunSummary['status'];
  period: Period;
}

export const EVERYTHING: IRunQuery = {
  search: '',
  framework: '',
  backend: '',
  status: '',
  period: 'any'
};

/** How many runs one page holds. */
export const PAGE = 25;

/** Whether a query leaves anything out. */
export function isRestricted(query: IRunQuery): boolean {
  return Object.entries(EVERYTHING).some(
    ([name, value]) => query[name as keyof IRunQuery] !== value
  );
}

/** The query as the server wants it, in a URL. */
export function queryString(
  query: IRunQuery,
  now: number,
  cursor: string | null = null
): string {
  const { search, framework, backend, status, period } = query;
  const fields = {
    search: search.trim(),
    framework,
    backend,
    status,
    since: since(period, now),
    limit: `${PAGE}`,
    cursor: cursor ?? ''
  };
  return URLExt.objectToQueryString(
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value))
  );
}
