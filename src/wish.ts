import type { TranslationBundle } from '@jupyterlab/translation';

import type { DataClass, IState, ITarget } from './contract';
import { isOpen } from './windows';

/** What stands in the request form. */
export interface IWish {
  reason: string;
  ticket: string;
  project: string;
  /** As the browser's field writes it, in local time; empty for at once. */
  start: string;
  /** Seconds. */
  duration: number;
  /** Skip approval where the target allows it. */
  emergency: boolean;
}

/** A remark for each field that needs one: errors keep the request from being sent, hints do not. */
export interface IRemarks {
  errors: Partial<Record<keyof IWish | 'dataClass', string>>;
  hints: Partial<Record<keyof IWish, string>>;
}

const CLASSES: readonly DataClass[] = [
  'public',
  'internal',
  'confidential',
  'restricted'
];

/** The class that holds for a request: the strictest of notebook, project and site. */
export function dataClassOf(
  named: string | null,
  project: string,
  state: IState
): DataClass {
  const { default: fallback, floor } = state.data_classes;
  const ofProject = state.projects.find(one => one.name === project);
  const wanted = isClass(named) ? named : (ofProject?.data_class ?? fallback);
  const all = [floor, wanted, ofProject?.data_class ?? floor];
  return all.reduce((a, b) =>
    CLASSES.indexOf(b) > CLASSES.indexOf(a) ? b : a
  );
}

/** Say what is wrong, or good to know, before the control plane is asked; it decides all the same. */
export function check(
  wish: IWish,
  target: ITarget,
  dataClass: DataClass,
  now: number,
  trans: TranslationBundle
): IRemarks {
  const errors: IRemarks['errors'] = {};
  const hints: IRemarks['hints'] = {};
  const ticket = wish.ticket.trim();
  if (wish.reason.trim() === '') {
    errors.reason = trans.__('Say what you need it for.');
  }
  if (ticket === '' && target.ticket_required) {
    errors.ticket = trans.__('This target wants a ticket.');
  } else if (ticket !== '' && !fits(ticket, target.ticket_pattern)) {
    errors.ticket = trans.__('A ticket looks like %1.', target.ticket_pattern);
  }
  if (wish.duration > target.max_duration) {
    errors.duration = trans.__('Longer than this target allows.');
  }
  const start = wish.start ? Date.parse(wish.start) : now;
  if (Number.isNaN(start) || (wish.start && start < now - 60_000)) {
    errors.start = trans.__('That time has passed.');
  } else if (!isOpen(target.windows, start)) {
    hints[wish.start ? 'start' : 'duration'] = trans.__(
      'It begins when its hours do: %1.',
      target.windows.join('; ')
    );
  }
  if (target.classes.length > 0 && !target.classes.includes(dataClass)) {
    errors.dataClass = trans.__(
      'Work of the class %1 may not go there. Allowed: %2.',
      sayClass(dataClass, trans),
      target.classes.map(one => sayClass(one, trans)).join(', ')
    );
  }
  return { errors, hints };
}

/** A data class in words. */
export function sayClass(name: DataClass, trans: TranslationBundle): string {
  return {
    public: trans.__('public'),
    internal: trans.__('internal'),
    confidential: trans.__('confidential'),
    restricted: trans.__('restricted')
  }[name];
}

function isClass(name: string | null): name is DataClass {
  return CLASSES.includes(name as DataClass);
}

/** A pattern that this browser cannot read is the control plane's to check. */
function fits(ticket: string, pattern: string | null): boolean {
  if (!pattern) {
    return true;
  }
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(ticket);
  } catch {
    return true;
  }
}
