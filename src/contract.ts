/**
 * The shapes that travel between the server extension and this page, by the names that they have here.
 *
 * They are the control plane's own, generated from its OpenAPI (`jlpm generate`); the server extension relays them
 * as they are. Times are RFC 3339 in UTC, durations seconds.
 */

import type { components } from './openapi';

type Schemas = components['schemas'];

/** All that the panel shows, as one snapshot with a version to wait on. */
export type IState = Schemas['State'];
/** Who acts, and how we know. */
export type IPrincipal = Schemas['Principal'];
/** The store behind the credentials, as one sentence and as facts. */
export type IVaultInfo = Schemas['VaultInfo'];
/** A place where credentials are good. */
export type ITarget = Schemas['Target'];
/** A right to a target, from one kernel, for a time. */
export type IGrant = Schemas['Grant'];
/** A request that this person may decide, with what is to be looked at. */
export type IAwaitedGrant = Schemas['AwaitedGrant'];
/** Which requests were denied, and why the others were not. */
export type IDenials = Schemas['Denials'];
/** What is locked, by whom and why. */
export type ILock = Schemas['Lock'];
/** A secret that was found: where and by which rule, never the value. */
export type IFinding = Schemas['Finding'];
/** A finding as the control plane remembers it. */
export type IRecordedFinding = Schemas['RecordedFinding'];
/** One recorded run of circuits. */
export type IRunSummary = Schemas['RunSummary'];
/** Runs, newest first, and where the next page begins. */
export type IRunPage = Schemas['RunPage'];
/** One run with its signed statements and how it is cited. */
export type IRun = Schemas['Run'];
/** What changed from one run to another. */
export type IRunDifference = Schemas['RunDifference'];
/** What happened: an entry of the ledger, as far as it concerns who asks. */
export type IEvent = Schemas['Event'];
/** Events, newest first, and where the next page begins. */
export type IEventPage = Schemas['EventPage'];
/** What jobs at a target with a gateway must keep to, and what was used. */
export type ILimits = Schemas['Limits'];
/** A job that went through the gateway. */
export type IJob = Schemas['GatewayJob'];
/** What the vendor sees of a job. */
export type IExposure = Schemas['Exposure'];
/** Where the value of a target is kept now; never the value. */
export type IKeptSecret = Schemas['KeptSecret'];
/** How sensitive a file is; policy says what that means for its secrets. */
export type DataClass = Schemas['DataClasses']['default'];
/** All checks together. */
export type IHealth = Schemas['Health'];
/** One thing that was looked at, and what to do when it is not well. */
export type ICheck = Schemas['Check'];

/** What a person asks for at the panel: the server insists on the kernel that a grant belongs to. */
export interface IGrantRequest {
  target: string;
  reason: string;
  ticket?: string;
  duration?: string;
  kernel_id: string;
  project?: string;
  start?: string;
  break_glass?: boolean;
}
