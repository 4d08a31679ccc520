/**
 * The shapes that travel between the server extension and this page.
 *
 * Field names are the server's own (`qsec_jupyter.core.model`); times are RFC 3339 in UTC, durations seconds.
 */

export type GrantState =
  | 'requested'
  | 'approved'
  | 'active'
  | 'expired'
  | 'revoked'
  | 'denied'
  | 'cancelled';

/** Who acts, and how we know. */
export interface IPrincipal {
  name: string;
  display_name: string;
  identity_provider: string;
  mfa?: string | null;
  groups?: string[];
  roles?: string[];
}

/** The store behind the credentials, as one sentence and as facts. */
export interface IVaultInfo {
  kind: 'vault' | 'openbao' | 'sealed-store';
  origin: 'external' | 'dev' | 'embedded';
  label: string;
  address?: string | null;
  key_protection?: 'os-keyring' | 'file-0600' | null;
}

/** A place where credentials are good. */
export interface ITarget {
  name: string;
  title: string;
  provider: string;
  tier: 'deliver' | 'proxy' | 'operate';
  approval: 'auto' | 'review';
  max_duration: number;
  default_duration: number;
  ticket_pattern?: string | null;
  revocability: string;
}

/** A right to a target, from one kernel, for a time. */
export interface IGrant {
  id: string;
  target: string;
  state: GrantState;
  requester: string;
  kernel_id: string;
  reason: string;
  ticket?: string | null;
  duration: number;
  requested_at: string;
  decided_by?: string | null;
  decided_at?: string | null;
  decision_comment?: string | null;
  activated_at?: string | null;
  expires_at?: string | null;
  ended_at?: string | null;
  policies?: string[];
}

/** A secret that was found: where and by which rule, never the value. */
export interface IFinding {
  rule: string;
  title: string;
  severity: 'info' | 'low' | 'medium' | 'high' | 'critical';
  surface: string;
  path: string;
  cell?: number | null;
  cell_id?: string | null;
  line: number;
  column: number;
  fingerprint: string;
  remedy: string;
  action: 'redacted' | 'kept' | 'reported';
}

/** A finding as the control plane remembers it. */
export interface IRecordedFinding extends IFinding {
  id: string | number;
  found_at: string;
  kept_reason?: string | null;
}

/** One recorded run of circuits. */
export interface IRunSummary {
  run_id: string;
  kernel_id: string;
  framework: string;
  operation: string;
  backend: string;
  circuits: number;
  shots?: number | null;
  status: 'running' | 'done' | 'failed' | 'unknown';
  started_at: string;
  ended_at?: string | null;
  intent?: string | null;
  completion?: string | null;
  ledger_index?: number | null;
  signed_by: string;
  grant_id?: string | null;
  gaps: string[];
}

/** One thing that was looked at, and what to do when it is not well. */
export interface ICheck {
  name: string;
  ok: boolean;
  detail: string;
  remedy: string;
}

export interface IHealth {
  status: 'ok' | 'degraded' | 'down';
  checks: ICheck[];
}

/** All that the panel shows, as one snapshot with a version to wait on. */
export interface IState {
  version: number;
  principal: IPrincipal;
  vault: IVaultInfo;
  targets: ITarget[];
  grants: IGrant[];
  approvals: IGrant[];
  runs: IRunSummary[];
  findings: IRecordedFinding[];
  health: IHealth;
}

/** What a person asks for at the panel. */
export interface IGrantRequest {
  target: string;
  reason: string;
  ticket?: string;
  duration?: string;
  kernel_id: string;
}
