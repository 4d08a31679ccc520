import type { IRun } from '../contract';
import { EVERYTHING, isRestricted, PAGE, queryString } from '../runs/query';
import { recorded } from '../runs/statement';
import { NOON } from './samples';

const run = (changes: Partial<IRun> = {}): IRun => ({
  summary: {
    run_id: 'r1',
    kernel_id: 'k1',
    framework: 'qiskit',
    operation: 'qiskit_aer.AerSimulator.run',
    backend: 'aer_simulator',
    circuits: 1,
    shots: 100,
    status: 'done',
    started_at: '2026-01-31T12:00:00.000Z',
    ended_at: '2026-01-31T12:00:01.000Z',
    intent: null,
    completion: null,
    ledger_index: null,
    signed_by: 'local:1',
    grant_id: null,
    gaps: [],
    job_id: null,
    gateway: null,
    notebook: null,
    parent_run_id: null
  },
  intent: null,
  completion: null,
  envelopes: { intent: null, completion: null },
  ledger: { intent: null, completion: null },
  citation: { text: 'A run.', bibtex: '@misc{r1}' },
  children: [],
  ...changes
});

describe('a query of runs', () => {
  it('asks for a page when nothing restricts it', () => {
    expect(queryString(EVERYTHING, NOON)).toBe(`?limit=${PAGE}`);
    expect(isRestricted(EVERYTHING)).toBe(false);
  });

  it('leaves out what does not restrict and escapes what does', () => {
    const query = { ...EVERYTHING, search: ' a&b ', status: 'done' as const };
    expect(queryString(query, NOON)).toBe(
      `?search=a%26b&status=done&limit=${PAGE}`
    );
    expect(isRestricted(query)).toBe(true);
  });

  it('counts a period back from the server’s clock', () => {
    const query = { ...EVERYTHING, period: 'day' as const };
    expect(queryString(query, NOON)).toContain(
      'since=2026-01-30T12%3A00%3A00.000Z'
    );
  });

  it('goes on where a page ended', () => {
    expect(queryString(EVERYTHING, NOON, '17')).toContain('cursor=17');
  });
});

describe('what a record says', () => {
  it('is read from its statements', () => {
    const intent = {
      predicate: {
        run: {
          backend: { version: '0.18' },
          execution: {
            circuits: [
              { structural_hash: { value: 'abc' }, width: 2, depth: 3 },
              { program: { sha256: 'def' } }
            ],
            seeds: { seed_simulator: 7 }
          },
          source: { cell_id: 'c1', git: { commit: '123' } },
          environment: { python: '3.12', packages: { count: 40 } }
        }
      }
    };
    const completion = {
      predicate: { run: { result: { sha256: 'fff' }, error_type: null } }
    };
    expect(recorded(run({ intent, completion }))).toEqual({
      circuits: [
        { digest: 'abc', width: 2, depth: 3, size: null },
        { digest: 'def', width: null, depth: null, size: null }
      ],
      backendVersion: '0.18',
      cell: 'c1',
      commit: '123',
      python: '3.12',
      packages: 40,
      seeds: ['seed_simulator 7'],
      result: 'fff',
      errorType: ''
    });
  });

  it('is nothing where a kernel wrote nonsense', () => {
    const nonsense = recorded(run({ intent: { predicate: [1, 'two'] } }));
    expect(nonsense.circuits).toEqual([]);
    expect(nonsense.packages).toBeNull();
    expect(nonsense.python).toBe('');
  });
});
