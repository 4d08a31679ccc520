import type { IWish } from '../wish';
import { check, dataClassOf } from '../wish';
import { isOpen } from '../windows';
import { NOON, state, trans } from './samples';

const target = state().targets[0];
const wish: IWish = {
  reason: 'compare',
  ticket: 'QC-1',
  project: '',
  start: '',
  duration: 1800,
  emergency: false
};
const errors = (changes: Partial<IWish>, of = target) =>
  Object.keys(
    check({ ...wish, ...changes }, of, 'internal', NOON, trans).errors
  );

describe('a request while it is typed', () => {
  it.each([
    [{}, []],
    [{ reason: '  ' }, ['reason']],
    [{ ticket: '' }, []],
    [{ ticket: 'QC-' }, ['ticket']],
    [{ ticket: 'see QC-1' }, ['ticket']],
    [{ duration: 99_999 }, ['duration']],
    [{ start: '2020-01-01T08:00' }, ['start']],
    [{ start: 'soon' }, ['start']],
    [{ start: '2030-01-01T08:00' }, []]
  ])('%j lacks %j', (changes, wrong) => {
    expect(errors(changes)).toEqual(wrong);
  });

  it('wants a ticket where the target does', () => {
    const strict = { ...target, ticket_required: true };
    expect(errors({ ticket: '' }, strict)).toEqual(['ticket']);
  });

  it('leaves to the control plane a pattern that the browser cannot read', () => {
    const odd = { ...target, ticket_pattern: '(?P<n>QC)-[0-9]+' };
    expect(errors({ ticket: 'anything' }, odd)).toEqual([]);
  });

  it('says that a target takes no work of that class', () => {
    const open = { ...target, classes: ['public' as const] };
    expect(errors({}, open)).toEqual(['dataClass']);
  });

  it('says when it begins, outside of the hours', () => {
    const hours = { ...target, windows: ['mon-fri 08:00-18:00'] };
    const { hints } = check(wish, hours, 'internal', NOON, trans);
    expect(hints.duration).toContain('mon-fri');
  });
});

describe('dataClassOf', () => {
  const projects = [
    {
      name: 'chem',
      title: 'Chemistry',
      members: [],
      targets: [],
      data_class: 'confidential' as const
    }
  ];

  it.each([
    [null, '', 'internal'],
    ['public', '', 'public'],
    ['nonsense', '', 'internal'],
    ['public', 'chem', 'confidential'],
    ['restricted', 'chem', 'restricted'],
    [null, 'chem', 'confidential']
  ])('of a notebook of class %s in project "%s" is %s', (named, of, is) => {
    expect(dataClassOf(named, of, state({ projects }))).toBe(is);
  });
});

describe('isOpen', () => {
  // NOON is a Saturday, 12:00 UTC; 13:00 in Berlin.
  it.each([
    [[], true],
    [['mon-fri 08:00-18:00'], false],
    [['mon-fri 08:00-18:00', 'sat 12:00-12:30'], true],
    [['sat 13:00-14:00 Europe/Berlin'], true],
    [['sat 08:00-12:00'], false],
    [['fri 22:00-13:00'], true],
    [['sat 22:00-06:00'], false],
    [['fri-mon 00:00-24:00'], true],
    [['whenever'], true],
    [['sat 12:00-13:00 Mars/Olympus'], true]
  ])('%j is %s', (windows, open) => {
    expect(isOpen(windows, NOON)).toBe(open);
  });
});
