import type { IGrant } from './contract';

/** Seconds left at which a screen reader is told, longest first. */
export const ANNOUNCED_SECONDS: readonly number[] = [900, 300, 60];

/** Whole seconds until a grant's end, never below 0; null when its clock does not run. */
export function secondsLeft(grant: IGrant, now: number): number | null {
  if (grant.state !== 'active' || !grant.expires_at) {
    return null;
  }
  const end = Date.parse(grant.expires_at);
  return Number.isNaN(end) ? null : Math.max(0, Math.ceil((end - now) / 1000));
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

/** A length of time as people and `qsec.request` write it, e.g. `30m`, `1h 30m`, `45s`. */
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
  thresholds: readonly number[] = ANNOUNCED_SECONDS
): number | null {
  const crossed = [...thresholds, 0].filter(t => before > t && after <= t);
  return crossed.length > 0 ? Math.min(...crossed) : null;
}

/** Time passed since a moment, coarse: `now`, `5m`, `3h`, `2d`. */
export function age(moment: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(moment)) / 1000));
  if (seconds < 60) {
    return 'now';
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)}m`;
  }
  return seconds < 86400
    ? `${Math.floor(seconds / 3600)}h`
    : `${Math.floor(seconds / 86400)}d`;
}
