import type { TranslationBundle } from '@jupyterlab/translation';

import type { IGrant, IState } from './contract';

/** Whole seconds until a grant's end, never below 0; null when its clock does not run. */
export function secondsLeft(grant: IGrant, now: number): number | null {
  if (grant.state !== 'active' || !grant.expires_at) {
    return null;
  }
  const end = Date.parse(grant.expires_at);
  return Number.isNaN(end) ? null : Math.max(0, Math.ceil((end - now) / 1000));
}

/** Seconds from a grant's beginning to its end, extensions included. */
export function wholeTime(grant: IGrant): number {
  const { activated_at: begun, expires_at: ends } = grant;
  const whole =
    begun && ends ? (Date.parse(ends) - Date.parse(begun)) / 1000 : 0;
  return whole > 0 ? whole : grant.duration;
}

/**
 * The lowest of the warnings (minutes) that a grant has reached, or null.
 *
 * A grant that was short from the beginning needs no alarm the moment it starts.
 */
export function warningReached(
  grant: IGrant,
  now: number,
  warnings: readonly number[]
): number | null {
  const left = secondsLeft(grant, now);
  const whole = wholeTime(grant);
  const reached = warnings.filter(
    minutes => left !== null && left <= minutes * 60 && whole > minutes * 60
  );
  return reached.length > 0 ? Math.min(...reached) : null;
}

/** The active grant that ends first, or null. */
export function nearestExpiry(
  grants: readonly IGrant[],
  now: number
): IGrant | null {
  let nearest: IGrant | null = null;
  let least = Infinity;
  for (const grant of grants) {
    const left = secondsLeft(grant, now);
    if (left !== null && left > 0 && left < least) {
      least = left;
      nearest = grant;
    }
  }
  return nearest;
}

/** Seconds by which a grant may be extended now: as much again, as far as its target allows; 0 for not at all. */
export function extensionOf(grant: IGrant, state: IState): number {
  const target = state.targets.find(one => one.name === grant.target);
  const waits = state.grants.some(
    one => one.extends === grant.id && one.state === 'requested'
  );
  if (!target || waits || grant.parent || grant.state !== 'active') {
    return 0;
  }
  const room = Math.floor((target.max_duration - wholeTime(grant)) / 60) * 60;
  const more = Math.min(target.default_duration, room);
  return more < 60 ? 0 : more;
}

/** A clock face, e.g. `29:05` or `1:02:03`. */
export function clockFace(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(rest)}`
    : `${minutes}:${two(rest)}`;
}

/** A length of time as people and `qsec.request` write it, in every language: `30m`, `1h 30m`, `45s`. */
export function spell(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    rest > 0 ? `${rest}s` : ''
  ].filter(Boolean);
  return parts.join(' ') || '0s';
}

/** The same as the server reads it. */
export function asDuration(seconds: number): string {
  return spell(seconds).replace(/ /g, '');
}

/** The choices of a request form: round lengths up to the cap, with the target's own default among them. */
export function durationChoices(fallback: number, cap: number): number[] {
  const round = [900, 1800, 3600, 7200, 14400, 28800];
  const choices = new Set([...round, fallback, cap].filter(s => s <= cap));
  return [...choices].sort((a, b) => a - b);
}

/**
 * The threshold that time crossed on its way from `before` to `after` (seconds left), or null.
 *
 * 0 is a threshold, too. When a sleeping tab skips several, the last one counts.
 */
export function crossedThreshold(
  before: number,
  after: number,
  thresholds: readonly number[]
): number | null {
  const crossed = [...thresholds, 0].filter(t => before > t && after <= t);
  return crossed.length > 0 ? Math.min(...crossed) : null;
}

/** Time passed since a moment, coarse: `now`, `5m`, `3h`, `2d`. */
export function age(
  moment: string,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(moment)) / 1000));
  if (seconds < 60) {
    return trans.__('now');
  }
  if (seconds < 3600) {
    return trans.__('%1m', Math.floor(seconds / 60));
  }
  return seconds < 86400
    ? trans.__('%1h', Math.floor(seconds / 3600))
    : trans.__('%1d', Math.floor(seconds / 86400));
}

/** A moment as people of the page's language write it. */
export function sayMoment(time: string): string {
  const date = new Date(time);
  const language = document.documentElement.lang || undefined;
  return Number.isNaN(date.getTime())
    ? time
    : date.toLocaleString(language, {
        dateStyle: 'medium',
        timeStyle: 'short'
      });
}
