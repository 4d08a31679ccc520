/**
 * When a target's grants may be active, as the catalogue writes it: `mon-fri 08:00-18:00 Europe/Berlin`.
 *
 * The control plane decides; this tells a person in time. What cannot be read counts as open.
 */

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const FORM = /^([a-z,-]+)\s+(\d\d):(\d\d)-(\d\d):(\d\d)(?:\s+(\S+))?$/i;
const DAY = 24 * 60;

/** Whether one of the windows is open at a moment (ms since the epoch); without any, it always is. */
export function isOpen(windows: readonly string[], moment: number): boolean {
  return windows.length === 0 || windows.some(one => holds(one, moment));
}

function holds(window: string, moment: number): boolean {
  const match = FORM.exec(window.trim());
  if (!match) {
    return true;
  }
  const [, days, fromHour, fromMinute, toHour, toMinute, zone] = match;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const now = localTime(moment, zone ?? 'UTC');
  if (!now) {
    return true;
  }
  const named = daysOf(days.toLowerCase());
  const yesterday = (now.day + 6) % 7;
  return to > from
    ? named.has(now.day) && from <= now.minute && now.minute < Math.min(to, DAY)
    : (named.has(now.day) && now.minute >= from) ||
        (named.has(yesterday) && now.minute < to);
}

/** Weekday (Monday is 0) and minute of the day in a time zone; null where there is no such zone. */
function localTime(
  moment: number,
  timeZone: string
): { day: number; minute: number } | null {
  try {
    const parts = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23'
    }).formatToParts(moment);
    const of = (type: string) => parts.find(p => p.type === type)?.value ?? '';
    return {
      day: DAYS.indexOf(of('weekday').toLowerCase()),
      minute: Number(of('hour')) * 60 + Number(of('minute'))
    };
  } catch {
    return null;
  }
}

function daysOf(text: string): Set<number> {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-');
    const begin = DAYS.indexOf(first);
    const end = DAYS.indexOf(last);
    if (begin >= 0 && end >= 0) {
      for (let day = begin; ; day = (day + 1) % 7) {
        found.add(day);
        if (day === end) {
          break;
        }
      }
    }
  }
  return found;
}
