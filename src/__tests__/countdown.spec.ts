import {
  age,
  clockFace,
  crossedThreshold,
  durationChoices,
  nearestExpiry,
  extensionOf,
  secondsLeft,
  spell,
  warningReached
} from '../countdown';
import { grant, NOON, state, trans } from './samples';

const MINUTE = 60_000;

describe('secondsLeft', () => {
  it('counts down to the end and stays at 0 after it', () => {
    expect(secondsLeft(grant(), NOON)).toBe(1800);
    expect(secondsLeft(grant(), NOON + 29 * MINUTE + 59_500)).toBe(1);
    expect(secondsLeft(grant(), NOON + 31 * MINUTE)).toBe(0);
  });

  it('is null while no clock runs', () => {
    expect(secondsLeft(grant({ state: 'requested' }), NOON)).toBeNull();
    expect(secondsLeft(grant({ expires_at: null }), NOON)).toBeNull();
    expect(secondsLeft(grant({ expires_at: 'soon' }), NOON)).toBeNull();
  });
});

describe('nearestExpiry', () => {
  it('is the active grant that ends first, of those that have not ended', () => {
    const later = grant({ id: 'later', expires_at: '2026-01-31T14:00:00Z' });
    const ended = grant({ id: 'ended', expires_at: '2026-01-31T11:00:00Z' });
    const waiting = grant({ id: 'waiting', state: 'requested' });
    const grants = [later, ended, waiting, grant()];
    expect(nearestExpiry(grants, NOON)?.id).toBe('g1');
    expect(nearestExpiry([ended, waiting], NOON)).toBeNull();
  });
});

describe('texts', () => {
  it.each([
    [5, '0:05'],
    [65, '1:05'],
    [1799, '29:59'],
    [3723, '1:02:03']
  ])('%d seconds on a clock are %s', (seconds, text) => {
    expect(clockFace(seconds)).toBe(text);
  });

  it.each([
    [0, '0s'],
    [45, '45s'],
    [1800, '30m'],
    [5400, '1h 30m']
  ])('%d seconds in words are %s', (seconds, text) => {
    expect(spell(seconds)).toBe(text);
  });

  it.each([
    [10, 'now'],
    [120, '2m'],
    [7200, '2h'],
    [200_000, '2d']
  ])('%d seconds ago is %s', (seconds, text) => {
    const moment = new Date(NOON - seconds * 1000).toISOString();
    expect(age(moment, NOON, trans)).toBe(text);
  });
});

describe('durationChoices', () => {
  it('never offers more than the cap, and always the default and the cap', () => {
    expect(durationChoices(600, 2700)).toEqual([600, 900, 1800, 2700]);
  });
});

describe('crossedThreshold', () => {
  it('tells each threshold once', () => {
    expect(crossedThreshold(301, 300, [300])).toBe(300);
    expect(crossedThreshold(300, 299, [300])).toBeNull();
    expect(crossedThreshold(1, 0, [])).toBe(0);
  });

  it('tells the last one when a sleeping tab skipped several', () => {
    expect(crossedThreshold(1000, 42, [600, 60])).toBe(60);
    expect(crossedThreshold(1000, 0, [600, 60])).toBe(0);
  });
});

describe('warningReached', () => {
  const at = (minutesLeft: number) => NOON + (30 - minutesLeft) * MINUTE;

  it('is the lowest warning that the time left has reached', () => {
    expect(warningReached(grant(), at(11), [10, 2])).toBeNull();
    expect(warningReached(grant(), at(10), [10, 2])).toBe(10);
    expect(warningReached(grant(), at(2), [10, 2])).toBe(2);
    expect(warningReached(grant(), at(1), [])).toBeNull();
  });

  it('leaves alone a grant that was that short from the beginning', () => {
    const short = grant({ expires_at: '2026-01-31T12:05:00Z' });
    expect(warningReached(short, NOON, [10, 2])).toBeNull();
    expect(warningReached(short, NOON + 4 * MINUTE, [10, 2])).toBe(2);
  });
});

describe('extensionOf', () => {
  it('is as much again, up to what the target allows in all', () => {
    const target = { ...state().targets[0], max_duration: 45 * 60 };
    expect(extensionOf(grant(), state())).toBe(1800);
    expect(extensionOf(grant(), state({ targets: [target] }))).toBe(900);
    const full = { ...target, max_duration: 1800 };
    expect(extensionOf(grant(), state({ targets: [full] }))).toBe(0);
  });

  it('is nothing while one is asked for already, and for what is not active', () => {
    const asked = grant({ id: 'more', extends: 'g1', state: 'requested' });
    const waiting = state({ grants: [grant(), asked] });
    expect(extensionOf(grant(), waiting)).toBe(0);
    expect(extensionOf(grant({ state: 'approved' }), state())).toBe(0);
  });
});
