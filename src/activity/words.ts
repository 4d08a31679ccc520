import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEvent } from '../contract';

/** The families of events that can be looked for, in words. */
export function families(
  trans: TranslationBundle
): ReadonlyArray<readonly [string, string]> {
  return [
    ['', trans.__('Everything')],
    ['grant', trans.__('Grants')],
    ['credential', trans.__('Credentials')],
    ['run', trans.__('Runs')],
    ['job', trans.__('Jobs at the gateway')],
    ['finding', trans.__('Findings')],
    ['notebook', trans.__('Shared copies')],
    ['token', trans.__('Tokens')],
    ['lock', trans.__('Locks')],
    ['request', trans.__('Refused requests')]
  ];
}

/** What happened, in a few words. A kind that this page does not know is told as the control plane tells it. */
export function sayEvent(
  event: Pick<IEvent, 'kind' | 'meaning'>,
  trans: TranslationBundle
): string {
  return wordsOf(trans)[event.kind] ?? event.meaning;
}

/** Whether an event is one to look at twice. */
export function isGrave(kind: string): boolean {
  return GRAVE.test(kind);
}

/** The name of a detail in words; one that this page does not know is told as the ledger has it. */
export function sayDetail(name: string, trans: TranslationBundle): string {
  const words: Partial<Record<string, string>> = {
    backend: trans.__('Backend'),
    circuits: trans.__('Circuits'),
    comment: trans.__('Comment'),
    cost: trans.__('Cost'),
    data_class: trans.__('Data class'),
    duration: trans.__('Duration (s)'),
    expires_at: trans.__('Until'),
    job: trans.__('Job'),
    job_id: trans.__('Job'),
    kernel: trans.__('Kernel'),
    notebook: trans.__('Notebook'),
    path: trans.__('File'),
    policies: trans.__('Rules'),
    policy: trans.__('Policy bundle'),
    project: trans.__('Project'),
    reason: trans.__('Reason'),
    rule: trans.__('Rule'),
    shots: trans.__('Shots'),
    ticket: trans.__('Ticket'),
    why: trans.__('Why')
  };
  return words[name] ?? name.replace(/_/g, ' ');
}

const GRAVE =
  /\.(refused|truncated|dropped|denied|break_glass|gap|untracked|lost|unknown|rejected|set|revocation_pending|cancel_pending|session_close_pending)$|^finding\.detected$/;

function wordsOf(trans: TranslationBundle): Partial<Record<string, string>> {
  return {
    'grant.requested': trans.__('Access asked for'),
    'grant.approved': trans.__('Request approved'),
    'grant.denied': trans.__('Request denied'),
    'grant.activated': trans.__('Access began'),
    'grant.expired': trans.__('Access ended: time ran out'),
    'grant.revoked': trans.__('Access ended early'),
    'grant.cancelled': trans.__('Request withdrawn'),
    'grant.voted': trans.__('Approved by one of several reviewers'),
    'grant.extended': trans.__('Access extended'),
    'grant.break_glass': trans.__('Approval skipped: emergency'),
    'grant.reviewed': trans.__('Emergency looked at afterwards'),
    'grant.jobs_added': trans.__('Results may be read for longer'),
    'series.approved': trans.__('Series of requests approved'),
    'series.ended': trans.__('Series of requests ended'),
    'request.refused': trans.__('Request refused by a rule'),
    'lock.set': trans.__('Locked'),
    'lock.lifted': trans.__('Lock lifted'),
    'token.issued': trans.__('Token made for a tool'),
    'token.revoked': trans.__('Token ended early'),
    'token.expired': trans.__('Token expired'),
    'credential.issued': trans.__('Credential handed to a kernel'),
    'credential.operated': trans.__('Key used in its store'),
    'credential.rotated': trans.__('Credential replaced'),
    'credential.imported': trans.__('Credential moved into the store'),
    'credential.refused': trans.__('Credential refused'),
    'credential.revoked': trans.__('Credential ended'),
    'credential.revocation_pending': trans.__(
      'Credential not yet verified as ended'
    ),
    'run.intent': trans.__('Run about to start'),
    'run.submitted': trans.__('Run taken by the provider'),
    'run.permitted': trans.__('Run permitted'),
    'run.refused': trans.__('Run refused by a rule'),
    'run.untracked': trans.__('Submitted outside of a recorded call'),
    'run.completion': trans.__('Run ended'),
    'run.gap': trans.__('Something could not be recorded'),
    'evidence.stored': trans.__('Evidence encrypted and kept'),
    'job.refused': trans.__('Job refused by a rule'),
    'job.intended': trans.__('Job passed every check'),
    'job.sent': trans.__('Job sent to the provider'),
    'job.accepted': trans.__('Job taken by the provider'),
    'job.rejected': trans.__('Job not taken by the provider'),
    'job.unknown': trans.__('Job: outcome not known yet'),
    'job.lost': trans.__('Job lost on the way'),
    'job.done': trans.__('Job done'),
    'job.cancelled': trans.__('Job cancelled'),
    'job.cancel_pending': trans.__('Job not yet verified as cancelled'),
    'job.read': trans.__('Results of a job asked for'),
    'job.changed': trans.__('Job cancelled, deleted or tagged by its client'),
    'job.polled': trans.__('Jobs looked at'),
    'job.session_opened': trans.__('Session at the provider opened'),
    'job.session_closed': trans.__('Session at the provider closed'),
    'job.session_close_pending': trans.__(
      'Session at the provider not yet verified as closed'
    ),
    'finding.detected': trans.__('Secret found in a file'),
    'finding.kept': trans.__('Finding kept with a reason'),
    'finding.unkept': trans.__('Finding no longer kept'),
    'notebook.shared': trans.__('Copy made to be given away'),
    'kernel.ended': trans.__('Kernel ended'),
    'kernel.shared': trans.__('Who shares a kernel has changed'),
    'gateway.refused': trans.__('Refused at the gateway'),
    'target.reconciled': trans.__('Job list compared with the ledger'),
    'notification.dropped': trans.__('Notification could not be delivered'),
    'ledger.truncated': trans.__('Torn end of the ledger cut off'),
    'server.connected': trans.__('Jupyter server connected'),
    'control.started': trans.__('Control plane started'),
    'control.stopped': trans.__('Control plane stopped'),
    'policy.loaded': trans.__('Policy came into force'),
    'policy.refused': trans.__('Changed policy not taken')
  };
}
