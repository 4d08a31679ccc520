import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type {
  IDenials,
  IEventPage,
  IExposure,
  IGrant,
  IGrantRequest,
  IJob,
  IKeptSecret,
  IRecordedFinding,
  IRun,
  IRunDifference,
  IRunPage,
  IState
} from './contract';
import { Problem } from './problem';
import type { IScanReport } from './scanReport';
import type { ICoverage, IShared, IShareRequest } from './share/contract';

/** What a person can do to a grant. */
export type GrantVerb = 'approve' | 'deny' | 'cancel' | 'revoke';

/** What goes with a decision: a comment, and the digest of the payload that was looked at. */
export interface ISaid {
  comment?: string;
  payload_digest?: string;
}

/** What the rest of the front end needs from the server; tests implement it without a network. */
export interface IQsecApi {
  /** The state, at once; or, given a version, the first state after it or after `wait` seconds. */
  state(options?: IStateOptions): Promise<IAnswer<IState>>;
  version(): Promise<string>;
  request(request: IGrantRequest): Promise<IGrant>;
  act(id: string, verb: GrantVerb, said?: ISaid): Promise<IGrant>;
  extend(id: string, duration: string): Promise<IGrant>;
  denyAll(ids: readonly string[], comment: string): Promise<IDenials>;
  scan(path: string): Promise<IScanReport>;
  keep(
    path: string,
    fingerprints: readonly string[],
    reason: string
  ): Promise<IScanReport>;
  unkeep(path: string, fingerprints: readonly string[]): Promise<IScanReport>;
  findings(query: IFindingQuery): Promise<IRecordedFinding[]>;
  coverage(path: string): Promise<ICoverage>;
  share(request: IShareRequest): Promise<IShared>;
}

/** Which findings are wanted; an absent or empty field does not restrict. */
export interface IFindingQuery {
  path?: string;
  severity?: string;
  search?: string;
}

/** What the list of runs needs from the server. */
export interface IRunsApi {
  /** A page of runs; the query is a URL's, with its question mark. */
  runs(query: string): Promise<IRunPage>;
  run(id: string): Promise<IRun>;
  /** What changed from the first run to the second. */
  difference(first: string, second: string): Promise<IRunDifference>;
}

/** What the panel asks for beside the state. */
export interface IPanelApi extends IRunsApi {
  /** A page of events; the query is a URL's, with its question mark. */
  events(query: string): Promise<IEventPage>;
  /** The newest jobs of a target and in a state; empty texts do not restrict. */
  jobs(target: string, state: string): Promise<IJob[]>;
  exposure(job: string): Promise<IExposure>;
  cancelJob(job: string): Promise<IJob>;
  /** Hand over a new value for a target; it is never asked for again. */
  keepSecret(target: string, value: string): Promise<IKeptSecret>;
}

export interface IStateOptions {
  since?: number;
  wait?: number;
  signal?: AbortSignal;
}

/** A body and the server's clock when it was sent (ms since the epoch, or null). */
export interface IAnswer<T> {
  body: T;
  serverTime: number | null;
}

/** The routes of the server extension, below `<base_url>/qsec`. */
export class QsecApi implements IQsecApi, IPanelApi {
  constructor(
    settings: ServerConnection.ISettings = ServerConnection.makeSettings()
  ) {
    this._settings = settings;
  }

  async state(options: IStateOptions = {}): Promise<IAnswer<IState>> {
    const { since, wait, signal } = options;
    // An open tab asks all the time: that must not keep an idle server from being culled.
    const query = URLExt.objectToQueryString({
      no_track_activity: 1,
      ...(since === undefined ? {} : { since, wait: wait ?? 0 })
    });
    return this._send<IState>(`state${query}`, { signal, cache: 'no-store' });
  }

  async version(): Promise<string> {
    return (await this._send<{ version: string }>('version')).body.version;
  }

  async request(request: IGrantRequest): Promise<IGrant> {
    return this._post<IGrant>('grants', request);
  }

  async act(id: string, verb: GrantVerb, said: ISaid = {}): Promise<IGrant> {
    return this._post<IGrant>(`grants/${encodeURIComponent(id)}/${verb}`, said);
  }

  async extend(id: string, duration: string): Promise<IGrant> {
    const path = `grants/${encodeURIComponent(id)}/extend`;
    return this._post<IGrant>(path, { duration });
  }

  async denyAll(ids: readonly string[], comment: string): Promise<IDenials> {
    return this._post<IDenials>('grants/deny', { ids, comment });
  }

  async scan(path: string): Promise<IScanReport> {
    return this._get<IScanReport>('scan', { path });
  }

  async keep(
    path: string,
    fingerprints: readonly string[],
    reason: string
  ): Promise<IScanReport> {
    return this._post<IScanReport>('scan/keep', { path, fingerprints, reason });
  }

  async unkeep(
    path: string,
    fingerprints: readonly string[]
  ): Promise<IScanReport> {
    return this._post<IScanReport>('scan/unkeep', { path, fingerprints });
  }

  async findings(query: IFindingQuery): Promise<IRecordedFinding[]> {
    const answer = await this._get<{ findings: IRecordedFinding[] }>(
      'findings',
      { ...query }
    );
    return answer.findings;
  }

  async coverage(path: string): Promise<ICoverage> {
    return this._get<ICoverage>('coverage', { path });
  }

  async share(request: IShareRequest): Promise<IShared> {
    return this._post<IShared>('share', request);
  }

  async runs(query: string): Promise<IRunPage> {
    return (await this._send<IRunPage>(`runs${query}`)).body;
  }

  async events(query: string): Promise<IEventPage> {
    return (await this._send<IEventPage>(`events${query}`)).body;
  }

  async jobs(target: string, state: string): Promise<IJob[]> {
    const query = { target, state, limit: '200' };
    return (await this._get<{ jobs: IJob[] }>('jobs', query)).jobs;
  }

  async exposure(job: string): Promise<IExposure> {
    return this._get<IExposure>(`jobs/${encodeURIComponent(job)}/exposure`, {});
  }

  async cancelJob(job: string): Promise<IJob> {
    return this._post<IJob>(`jobs/${encodeURIComponent(job)}/cancel`, {});
  }

  async keepSecret(target: string, value: string): Promise<IKeptSecret> {
    const path = `targets/${encodeURIComponent(target)}/secret`;
    return this._post<IKeptSecret>(path, { values: { '': value } });
  }

  async run(id: string): Promise<IRun> {
    const route = `runs/${encodeURIComponent(id)}`;
    return (await this._send<IRun>(route)).body;
  }

  async difference(first: string, second: string): Promise<IRunDifference> {
    const [a, b] = [first, second].map(encodeURIComponent);
    return (await this._send<IRunDifference>(`runs/${a}/diff/${b}`)).body;
  }

  private async _get<T>(
    route: string,
    query: { [name: string]: string | undefined }
  ): Promise<T> {
    const asked = Object.entries(query).filter(([, value]) => value);
    const text = URLExt.objectToQueryString(
      Object.fromEntries(asked) as { [name: string]: string }
    );
    return (await this._send<T>(`${route}${asked.length ? text : ''}`)).body;
  }

  private async _post<T>(route: string, body: object): Promise<T> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    return (await this._send<T>(route, init)).body;
  }

  private async _send<T>(
    route: string,
    init: RequestInit = {}
  ): Promise<IAnswer<T>> {
    const url = URLExt.join(this._settings.baseUrl, 'qsec', route);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw Problem.from(error);
    }
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      throw Problem.fromBody(response.status, body);
    }
    const date = Date.parse(response.headers.get('Date') ?? '');
    return { body: body as T, serverTime: Number.isNaN(date) ? null : date };
  }

  private _settings: ServerConnection.ISettings;
}
