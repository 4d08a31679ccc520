import React from 'react';

import type { GrantVerb } from '../api';
import type { IGrant, IState } from '../contract';
import {
  asDuration,
  extensionOf,
  sayMoment,
  spell,
  warningReached
} from '../countdown';
import { sayServer } from '../serverTexts';
import { Age } from './age';
import { targetTitle, useAction, useNow, usePanel } from './context';
import { ProblemCard } from './parts';
import { Countdown } from './ring';

const OPEN = new Set(['requested', 'approved', 'active']);

/** What is asked for or held now. An extension shows as its grant's new end; one that waits shows by itself. */
export function openGrants(state: IState): IGrant[] {
  return state.grants.filter(
    grant =>
      OPEN.has(grant.state) && !(grant.extends && grant.state === 'active')
  );
}

/** One grant on its target's card: its time or state, for which notebook, and the way to end or extend it. */
export function OpenGrant(props: {
  grant: IGrant;
  state: IState;
}): JSX.Element {
  const { notebooks, trans } = usePanel();
  const { grant, state } = props;
  const { busy, problem, run } = useAction();
  const title = targetTitle(state, grant.target);
  const place = grant.parent
    ? trans._n('results of %1 job', 'results of %1 jobs', grant.jobs.length)
    : (notebooks.nameOfKernel(grant.kernel_id) ??
      trans.__('kernel %1', grant.kernel_id.slice(0, 8)));
  const facts = [grant.ticket, grant.project, grant.reason, grant.cost];
  return (
    <li className={`jp-Qsec-grant jp-mod-${grant.state}`}>
      <div className="jp-Qsec-row">
        {grant.state === 'active' ? (
          <Countdown grant={grant} title={title} />
        ) : (
          <StateBadge grant={grant} />
        )}
        <span className="jp-Qsec-main jp-Qsec-place">
          {grant.extends ? trans.__('%1, more time', place) : place}
        </span>
      </div>
      <span className="jp-Qsec-dim jp-Qsec-secondary" title={grant.reason}>
        {facts.filter(Boolean).join(' · ')}
      </span>
      <When grant={grant} />
      <Buttons grant={grant} state={state} busy={busy} run={run} />
      {problem ? <ProblemCard problem={problem} /> : null}
    </li>
  );
}

/** Until when a request waits, or from when a grant holds. */
function When(props: { grant: IGrant }): JSX.Element | null {
  const { trans } = usePanel();
  const { state, start_at: start, pending_until: until } = props.grant;
  const text =
    state === 'approved' && start
      ? trans.__('Begins %1', sayMoment(start))
      : state === 'requested' && until
        ? trans.__('Waits until %1 at most', sayMoment(until))
        : null;
  return text ? (
    <span className="jp-Qsec-dim jp-Qsec-secondary">{text}</span>
  ) : null;
}

function Buttons(props: {
  grant: IGrant;
  state: IState;
  busy: boolean;
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}): JSX.Element {
  const { model, settings, trans } = usePanel();
  const { grant, state, busy, run } = props;
  const title = targetTitle(state, grant.target);
  const isActive = grant.state === 'active';
  const now = useNow(isActive);
  const { expiryWarnings } = settings.now;
  const isLow = warningReached(grant, now, expiryWarnings) !== null;
  const verb: GrantVerb = isActive ? 'revoke' : 'cancel';
  const label = isActive ? trans.__('Hand back') : trans.__('Withdraw');
  const more = extensionOf(grant, state);
  return (
    <div className="jp-Qsec-buttons">
      {more > 0 ? (
        <button
          type="button"
          className={`jp-Qsec-button${isLow ? ' jp-mod-primary' : ''}`}
          disabled={busy}
          aria-label={trans.__('Extend %1 by %2', title, spell(more))}
          title={trans.__('Ask for %1 more', spell(more))}
          onClick={() =>
            void run(() => model.extend(grant.id, asDuration(more)))
          }
        >
          {isLow
            ? trans.__('Extend by %1', spell(more))
            : trans.__('+ %1', spell(more))}
        </button>
      ) : null}
      <button
        type="button"
        className="jp-Qsec-button"
        disabled={busy}
        aria-label={`${label}: ${title}`}
        onClick={() => void run(() => model.act(grant.id, verb))}
      >
        {label}
      </button>
    </div>
  );
}

/** What ended within the last hour, and why. */
export function Ended(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const { state } = props;
  const ended = state.grants.filter(
    grant => !OPEN.has(grant.state) && !grant.extends
  );
  if (ended.length === 0) {
    return null;
  }
  return (
    <details className="jp-Qsec-details">
      <summary>
        {trans._n(
          '%1 ended within the last hour',
          '%1 ended within the last hour',
          ended.length
        )}
      </summary>
      <ul className="jp-Qsec-list">
        {ended.map(grant => (
          <EndedGrant key={grant.id} grant={grant} state={state} />
        ))}
      </ul>
    </details>
  );
}

function EndedGrant(props: { grant: IGrant; state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { grant, state } = props;
  const moment = grant.ended_at ?? grant.decided_at ?? grant.requested_at;
  return (
    <li className={`jp-Qsec-item jp-mod-${grant.state}`}>
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span>{targetTitle(state, grant.target)}</span>
          <span className="jp-Qsec-dim">
            {[grant.reason, sayServer(grant.decision_comment ?? '', trans)]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
        <StateBadge grant={grant} />
        <Age moment={moment} />
      </div>
    </li>
  );
}

function StateBadge(props: { grant: IGrant }): JSX.Element {
  const { trans } = usePanel();
  const label = {
    requested: trans.__('Waiting for approval'),
    approved: trans.__('Approved'),
    active: trans.__('Active'),
    expired: trans.__('Expired'),
    revoked: trans.__('Revoked'),
    denied: trans.__('Denied'),
    cancelled: trans.__('Withdrawn')
  }[props.grant.state];
  return (
    <span className={`jp-Qsec-badge jp-mod-${props.grant.state}`}>{label}</span>
  );
}
