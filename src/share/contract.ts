/** The server extension's own shapes for sharing and coverage; the control plane does not know them. */

import type { IFinding } from '../contract';

/** What a shared copy still holds beside its source. */
export interface IKept {
  outputs: boolean;
  execution_counts: boolean;
  metadata: boolean;
}

export interface IShareRequest {
  path: string;
  keep: IKept;
  /** Where the copy goes; beside the notebook when absent. */
  to?: string;
}

/** What a share wrote. */
export interface IShared {
  path: string;
  /** The report that lies beside the copy. */
  report: string;
  findings: IFinding[];
  removed: { outputs: number; metadata: number; secrets: number };
  share_id: string | null;
  /** Whether the ledger knows of it. */
  recorded: boolean;
}

/** Whether what would leave by one route is looked after. */
export type CoverageState = 'redacted' | 'scanned' | 'reported' | 'not covered';

/** One surface on one way out of a notebook. */
export interface ICoverageRow {
  surface: string;
  route: string;
  state: CoverageState;
  /** What does it; empty when nothing does. */
  by: string;
  note: string;
}

export interface ICoverage {
  path: string;
  rows: ICoverageRow[];
}
