import type { IRun } from '../contract';

/** A circuit as the record names it. */
export interface ICircuit {
  /** The structural hash, or else the digest of the program's text. */
  digest: string;
  width: number | null;
  depth: number | null;
  size: number | null;
}

/** What the detail of a run shows beside its summary, as far as the signed record holds it. */
export interface IRecorded {
  circuits: ICircuit[];
  backendVersion: string;
  cell: string;
  commit: string;
  python: string;
  packages: number | null;
  /** Seeds by name, such as `seed_simulator 7`. */
  seeds: string[];
  result: string;
  errorType: string;
}

/** Read a run's statements. The kernel wrote most of it, so nothing is taken for granted. */
export function recorded(run: IRun): IRecorded {
  const intent = at(run.intent, 'predicate', 'run');
  const circuits = at(intent, 'execution', 'circuits');
  const environment = at(intent, 'environment');
  const seeds = at(intent, 'execution', 'seeds');
  return {
    circuits: Array.isArray(circuits) ? circuits.map(circuit) : [],
    backendVersion: text(at(intent, 'backend', 'version')),
    cell: text(at(intent, 'source', 'cell_id')),
    commit: text(at(intent, 'source', 'git', 'commit')),
    python: text(at(environment, 'python')),
    packages: whole(at(environment, 'packages', 'count')),
    seeds:
      typeof seeds === 'object' && seeds !== null
        ? Object.entries(seeds).map(([name, seed]) => `${name} ${seed}`)
        : [],
    result: text(at(run.completion, 'predicate', 'run', 'result', 'sha256')),
    errorType: text(at(run.completion, 'predicate', 'run', 'error_type'))
  };
}

function circuit(value: unknown): ICircuit {
  const digest =
    text(at(value, 'structural_hash', 'value')) ||
    text(at(value, 'program', 'sha256'));
  return {
    digest,
    width: whole(at(value, 'width')),
    depth: whole(at(value, 'depth')),
    size: whole(at(value, 'size'))
  };
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}
