import type { TranslationBundle } from '@jupyterlab/translation';

/** How far back a list goes. */
export type Period = 'any' | 'day' | 'week' | 'month';

const DAY = 24 * 60 * 60 * 1000;
const LENGTH: Record<Period, number> = {
  any: 0,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY
};

/** Where a period begins (RFC 3339), or an empty text. */
export function since(period: Period, now: number): string {
  return period === 'any' ? '' : new Date(now - LENGTH[period]).toISOString();
}

/** The periods to choose from, in words. */
export function periods(
  trans: TranslationBundle
): ReadonlyArray<readonly [Period, string]> {
  return [
    ['any', trans.__('Any time')],
    ['day', trans.__('Last 24 hours')],
    ['week', trans.__('Last 7 days')],
    ['month', trans.__('Last 30 days')]
  ];
}
