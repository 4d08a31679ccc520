import { readFileSync } from 'fs';
import { join } from 'path';

import { isGrave, sayEvent } from '../activity/words';
import { trans } from './samples';

const CATALOGUE = join(__dirname, '../../docs/reference/events.md');

/** Name and meaning of every event type, from the printed catalogue. */
const types = [
  ...readFileSync(CATALOGUE, 'utf8').matchAll(/^\| `([a-z_.]+)` \| (.*?) \|/gm)
].map(([, kind, meaning]) => ({ kind, meaning }));

describe('an event in words', () => {
  it('is worded for every type of the catalogue', () => {
    expect(types.length).toBeGreaterThan(50);
    const unworded = types.filter(
      type => sayEvent(type, trans) === type.meaning
    );
    expect(unworded.map(type => type.kind)).toEqual([]);
  });

  it('is told by the control plane where this page does not know it', () => {
    const unknown = { kind: 'moon.landed', meaning: 'The moon was reached.' };
    expect(sayEvent(unknown, trans)).toBe('The moon was reached.');
  });

  it.each([
    ['job.refused', true],
    ['grant.denied', true],
    ['finding.detected', true],
    ['grant.approved', false],
    ['credential.issued', false]
  ])('%s is grave: %s', (kind, grave) => {
    expect(isGrave(kind)).toBe(grave);
  });
});
