import { Signal } from '@lumino/signaling';

import type { IState } from '../contract';
import { Notifier } from '../notifications';
import { QsecSettings } from '../settings';
import type { INotice, IShow } from '../toasts';
import type { IQsecModel } from '../tokens';
import { awaited, grant, NOON, state, trans } from './samples';

const MINUTE = 60_000;

/** Remembers what is on screen. */
class Screen implements IShow {
  notices: readonly INotice[] = [];
  told: INotice[] = [];
  show(notices: readonly INotice[]): void {
    this.notices = notices;
  }
  tell(notice: INotice): void {
    this.told.push(notice);
  }
  clear(): void {
    this.notices = [];
  }
  get keys(): string[] {
    return this.notices.map(notice => notice.key);
  }
}

let screen: Screen;
let notifier: Notifier;
let changed: Signal<object, void>;
let now: number;
let current: IState;
let extended: string[];

beforeEach(() => {
  screen = new Screen();
  changed = new Signal<object, void>({});
  now = NOON;
  current = state();
  extended = [];
  const model = {
    get state() {
      return current;
    },
    problem: null,
    changed,
    now: () => now,
    extend: async (id: string, length: string) => {
      extended.push(`${id} ${length}`);
      return grant();
    }
  } as unknown as IQsecModel;
  notifier = new Notifier({
    model,
    settings: new QsecSettings(),
    trans,
    openPanel: () => undefined,
    toasts: screen
  });
});

afterEach(() => notifier.dispose());

function publish(changes: Partial<IState>, at = now): void {
  current = { ...current, ...changes };
  now = at;
  changed.emit();
}

describe('Notifier', () => {
  it('warns at ten and at two minutes, with a way to extend', async () => {
    publish({ grants: [grant()] }, NOON + 19 * MINUTE);
    expect(screen.keys).toEqual([]);
    publish({}, NOON + 20 * MINUTE);
    expect(screen.keys).toEqual(['expiry:g1:10']);
    publish({}, NOON + 28 * MINUTE);
    expect(screen.keys).toEqual(['expiry:g1:2']);
    const [notice] = screen.notices;
    expect(notice.text).toBe('The grant for Sandbox ends in 2 minutes.');
    expect(notice.actions?.map(one => one.label)).toEqual([
      'Extend by 30m',
      'Show'
    ]);
    notice.actions?.[0].callback();
    expect(extended).toEqual(['g1 30m']);
    publish({}, NOON + 30 * MINUTE);
    expect(screen.keys).toEqual([]);
  });

  it('tells of a request once policy has had its say', () => {
    const asked = awaited({ requested_at: new Date(NOON).toISOString() });
    publish({ approvals: [asked] }, NOON + 500);
    expect(screen.keys).toEqual([]);
    publish({}, NOON + 3000);
    expect(screen.keys).toEqual(['approval:g2']);
    publish({ approvals: [] });
    expect(screen.keys).toEqual([]);
  });

  it('tells what somebody else decided, and not what policy or this person did', () => {
    const asked = (id: string) => grant({ id, state: 'requested' });
    publish({ grants: ['a', 'b', 'c', 'd'].map(asked) });
    publish({
      grants: [
        grant({ id: 'a', decided_by: 'grace' }),
        grant({
          id: 'b',
          state: 'denied',
          decided_by: 'grace',
          decision_comment: 'Not this week.'
        }),
        grant({ id: 'c', decided_by: 'policy' }),
        grant({ id: 'd', decided_by: 'ada' })
      ]
    });
    expect(screen.notices.map(notice => notice.text)).toEqual([
      'grace approved Sandbox.',
      'grace denied Sandbox. Not this week.'
    ]);
  });

  it('tells of a lock and of a store that is away, until they are over', () => {
    const lock = {
      id: 'l1',
      kind: 'target' as const,
      name: 'sandbox',
      reason: 'maintenance',
      locked_by: 'grace',
      locked_at: '2026-01-31T12:00:00Z',
      lifted_by: null,
      lifted_at: null
    };
    const check = {
      name: 'vault',
      ok: false,
      detail: 'Vault does not answer.',
      remedy: ''
    };
    publish({
      locks: [lock],
      health: { status: 'degraded', checks: [check] }
    });
    expect(screen.notices.map(notice => notice.text)).toEqual([
      'Sandbox is locked: maintenance',
      'Vault does not answer.'
    ]);
    publish({ locks: [], health: { status: 'ok', checks: [] } });
    expect(screen.keys).toEqual([]);
  });
});
