import { nullTranslator } from '@jupyterlab/translation';

import type { IAnswer, IQsecApi, IStateOptions } from '../api';
import type {
  IAwaitedGrant,
  IDenials,
  IFinding,
  IGrant,
  IRecordedFinding,
  IState
} from '../contract';
import type { IScanReport } from '../scanReport';
import type { ICoverage, IShared } from '../share/contract';

/** English, as it stands in the source. */
export const trans = nullTranslator.load('');

export const NOON = Date.parse('2026-01-31T12:00:00.000Z');

/** A grant that is active from noon on for half an hour. */
export function grant(changes: Partial<IGrant> = {}): IGrant {
  return {
    id: 'g1',
    target: 'sandbox',
    state: 'active',
    requester: 'ada',
    kernel_id: 'k1',
    reason: 'first run',
    ticket: 'QC-1',
    duration: 1800,
    requested_at: '2026-01-31T12:00:00.000Z',
    decided_by: 'policy',
    decided_at: '2026-01-31T12:00:00.000Z',
    decision_comment: null,
    activated_at: '2026-01-31T12:00:00.000Z',
    expires_at: '2026-01-31T12:30:00.000Z',
    ended_at: null,
    policies: ['sandbox-auto'],
    requester_subject: 'ada',
    requester_roles: ['researcher'],
    project: null,
    data_class: 'internal',
    scope: 'submit',
    start_at: null,
    pending_until: null,
    break_glass: false,
    payload: null,
    cost: null,
    extends: null,
    parent: null,
    jobs: [],
    votes: [],
    reviewed_by: null,
    ...changes
  };
}

/** A request that this person may decide. */
export function awaited(changes: Partial<IAwaitedGrant> = {}): IAwaitedGrant {
  return {
    ...grant({ id: 'g2', target: 'pilot', state: 'requested' }),
    payload_digest: null,
    changes: [],
    ...changes
  };
}

export function finding(changes: Partial<IFinding> = {}): IFinding {
  return {
    rule: 'ibm-quantum-token',
    target: '',
    title: 'IBM Quantum API token',
    severity: 'critical',
    surface: 'source',
    path: 'work/first.ipynb',
    cell: 1,
    cell_id: 'b',
    line: 3,
    column: 9,
    fingerprint: 'f1',
    remedy: 'Revoke it.',
    action: 'redacted',
    end_column: 53,
    confidence: 'high',
    ...changes
  };
}

export function report(changes: Partial<IScanReport> = {}): IScanReport {
  return {
    path: 'work/first.ipynb',
    saved_at: '2026-01-31T12:00:00.000Z',
    findings: [],
    cells: {},
    unscanned: [],
    data_class: 'internal',
    blocked: false,
    ...changes
  };
}

export function state(changes: Partial<IState> = {}): IState {
  return {
    version: 1,
    principal: {
      name: 'ada',
      display_name: 'Ada Lovelace',
      identity_provider: 'jupyter',
      mfa: null,
      groups: [],
      roles: [],
      kind: 'person',
      subject: 'ada'
    },
    vault: {
      kind: 'vault',
      origin: 'dev',
      label: 'Vault 1.21.2 (dev server)',
      address: 'http://127.0.0.1:8200',
      key_protection: null
    },
    targets: [
      {
        name: 'sandbox',
        title: 'Sandbox',
        provider: 'IBM Quantum',
        tier: 'deliver',
        approval: 'auto',
        max_duration: 14400,
        default_duration: 1800,
        ticket_pattern: 'QC-[0-9]+',
        ticket_required: false,
        revocability: 'the session ends',
        environment: 'dev',
        regions: [],
        classes: ['public', 'internal', 'confidential', 'restricted'],
        rounds: [{ reviewers: [], quorum: 1 }],
        pending: 86400,
        windows: [],
        break_glass: false,
        retrieve_duration: 0,
        bind_payload: false,
        price: null
      }
    ],
    mode: 'record',
    newest_event: 0,
    grants: [],
    approvals: [],
    shared: [],
    locks: [],
    gateway: null,
    limits: [],
    projects: [],
    runs: [],
    findings: [],
    health: { status: 'ok', checks: [] },
    data_classes: { default: 'internal', floor: 'public', rules: {} },
    ...changes
  };
}

/** A server with a state, a long poll that can be held open, and a switch to take it down. */
export class FakeServer implements IQsecApi {
  current = state();
  down: Error | null = null;
  asked: IStateOptions[] = [];
  serverTime: number | null = null;
  runs = '0.1.0';

  async state(options: IStateOptions = {}): Promise<IAnswer<IState>> {
    this.asked.push(options);
    const isNews = () =>
      options.since === undefined || this.current.version > options.since;
    while (!this.down && !isNews()) {
      await new Promise<void>((resolve, reject) => {
        this._wake.push(resolve);
        options.signal?.addEventListener('abort', () =>
          reject(new Error('aborted'))
        );
      });
    }
    if (this.down) {
      throw this.down;
    }
    return { body: this.current, serverTime: this.serverTime };
  }

  publish(changes: Partial<IState>): void {
    const version = this.current.version + 1;
    this.current = { ...this.current, version, ...changes };
    this.wake();
  }

  wake(): void {
    this._wake.splice(0).forEach(resolve => resolve());
  }

  async version(): Promise<string> {
    return this.runs;
  }

  async request(): Promise<IGrant> {
    return grant({ id: 'new', state: 'requested' });
  }

  async extend(id: string): Promise<IGrant> {
    return grant({ id: `${id}-more`, extends: id });
  }

  async denyAll(ids: readonly string[]): Promise<IDenials> {
    return { denied: [...ids], refused: {} };
  }

  async act(id: string): Promise<IGrant> {
    return grant({ id, state: 'revoked' });
  }

  async scan(): Promise<IScanReport> {
    return report();
  }

  async keep(): Promise<IScanReport> {
    return report();
  }

  async unkeep(): Promise<IScanReport> {
    return report();
  }

  async findings(): Promise<IRecordedFinding[]> {
    return this.current.findings;
  }

  async coverage(path: string): Promise<ICoverage> {
    return { path, rows: [] };
  }

  async share(): Promise<IShared> {
    throw new Error('not shared in a unit test');
  }

  private _wake: Array<() => void> = [];
}
