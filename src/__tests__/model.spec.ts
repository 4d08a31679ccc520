import { QsecModel } from '../model';
import { Problem } from '../problem';
import type { Visibility } from '../longPoll';
import { FakeServer, grant } from './samples';

/** A page that a test hides and shows. */
class Page implements Visibility {
  hidden = false;
  addEventListener = (_: string, listener: unknown) => {
    this._listeners.add(listener as () => void);
  };
  removeEventListener = (_: string, listener: unknown) => {
    this._listeners.delete(listener as () => void);
  };
  show(isVisible: boolean): void {
    this.hidden = !isVisible;
    this._listeners.forEach(listener => listener());
  }
  get listeners(): number {
    return this._listeners.size;
  }
  private _listeners = new Set<() => void>();
}

const PACE = { backoff: [5, 10], minimum: 1 };
const down = new Problem({
  code: 'control.unreachable',
  title: 'The control plane does not answer',
  status: 503
});

let server: FakeServer;
let page: Page;
let model: QsecModel;

beforeEach(() => {
  server = new FakeServer();
  page = new Page();
  model = new QsecModel({ api: server, visibility: page, pace: PACE });
});

afterEach(() => model.dispose());

function next(condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('the model did not get there')),
      3000
    );
    const check = () => {
      if (condition()) {
        clearTimeout(timer);
        model.changed.disconnect(check);
        resolve();
      }
    };
    model.changed.connect(check);
    check();
  });
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

describe('QsecModel', () => {
  it('has no state until the server answered, then follows each change', async () => {
    expect(model.state).toBeNull();
    model.start();
    await next(() => model.state !== null);
    server.publish({ grants: [grant()] });
    await next(() => model.state?.grants.length === 1);
    expect(server.asked[0].since).toBeUndefined();
    expect(server.asked[1].since).toBe(1);
  });

  it('keeps the last state while the server is away and recovers by itself', async () => {
    model.start();
    await next(() => model.state !== null);
    server.down = down;
    server.wake();
    await next(() => model.problem !== null);
    expect(model.state).not.toBeNull();
    expect(model.problem?.code).toBe('control.unreachable');
    server.down = null;
    await next(() => model.problem === null);
  });

  it('takes a restarted server whose versions begin anew', async () => {
    server.current = { ...server.current, version: 90 };
    model.start();
    await next(() => model.state?.version === 90);
    server.down = down;
    server.wake();
    await next(() => model.problem !== null);
    server.current = { ...server.current, version: 1, grants: [grant()] };
    server.down = null;
    await next(() => model.problem === null);
    expect(model.state?.version).toBe(1);
    expect(model.state?.grants).toHaveLength(1);
  });

  it('asks nothing while the page is hidden, and at once when it is shown', async () => {
    model.start();
    await next(() => model.state !== null);
    page.show(false);
    await pause(20);
    const asked = server.asked.length;
    server.publish({ grants: [grant()] });
    await pause(30);
    expect(server.asked).toHaveLength(asked);
    expect(model.state?.grants).toHaveLength(0);
    expect(model.problem).toBeNull();
    page.show(true);
    await next(() => model.state?.grants.length === 1);
  });

  it('does not hammer a server that answers at once without news', async () => {
    server.state = async options => {
      server.asked.push(options ?? {});
      return { body: server.current, serverTime: null };
    };
    const slow = new QsecModel({
      api: server,
      visibility: page,
      pace: { backoff: [5], minimum: 20 }
    });
    slow.start();
    await pause(110);
    slow.dispose();
    expect(server.asked.length).toBeLessThanOrEqual(7);
    expect(server.asked.length).toBeGreaterThan(1);
  });

  it('shows the outcome of an own click before the next poll', async () => {
    server.current = { ...server.current, grants: [grant()] };
    model.start();
    await next(() => model.state !== null);
    await model.act('g1', 'revoke');
    expect(model.state?.grants.map(g => g.state)).toEqual(['revoked']);
    await model.request({ target: 'sandbox', reason: 'x', kernel_id: 'k1' });
    expect(model.state?.grants.map(g => g.id)).toEqual(['new', 'g1']);
  });

  it('counts by the server clock when the two differ by more than the header tells', async () => {
    server.serverTime = Date.now() + 3_600_000;
    model.start();
    await next(() => model.state !== null);
    expect(model.now() - Date.now()).toBeGreaterThan(3_590_000);
  });

  it('tells when the server runs another version', async () => {
    server.runs = '9.9.9';
    model.start();
    await next(() => model.otherVersion === '9.9.9');
  });

  it('leaves nothing behind when disposed', async () => {
    model.start();
    await next(() => model.state !== null);
    model.dispose();
    const asked = server.asked.length;
    server.publish({});
    await pause(30);
    expect(server.asked).toHaveLength(asked);
    expect(page.listeners).toBe(0);
  });
});
