import React, { useEffect, useRef, useState } from 'react';

import type { GrantVerb } from '../api';
import type { IGrant, IState } from '../contract';
import {
  age,
  clockFace,
  crossedThreshold,
  secondsLeft,
  spell
} from '../countdown';
import { targetTitle, useAction, useNow, usePanel } from './context';
import { Empty, ProblemCard, Section } from './parts';

const OPEN = new Set(['requested', 'approved', 'active']);

/** What is granted, to which notebook, for how long still. */
export function Grants(props: { state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { state } = props;
  // An extension shows as its grant's new end; what waits for approval shows by itself.
  const open = state.grants.filter(
    grant =>
      OPEN.has(grant.state) && !(grant.extends && grant.state === 'active')
  );
  const ended = state.grants.filter(
    grant => !OPEN.has(grant.state) && !grant.extends
  );
  return (
    <Section title={trans.__('Grants')} count={open.length}>
      <Announcer state={state} />
      {open.length === 0 ? (
        <Empty>
          {trans.__(
            'No open grant. Request a target above, or run qsec.request(…) in a notebook.'
          )}
        </Empty>
      ) : (
        <ul className="jp-Qsec-list">
          {open.map(grant => (
            <OpenGrant key={grant.id} grant={grant} state={state} />
          ))}
        </ul>
      )}
      {ended.length > 0 ? (
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
      ) : null}
    </Section>
  );
}

function OpenGrant(props: { grant: IGrant; state: IState }): JSX.Element {
  const { model, notebooks, trans } = usePanel();
  const { grant } = props;
  const { busy, problem, run } = useAction();
  const title = targetTitle(props.state, grant.target);
  const isActive = grant.state === 'active';
  const verb: GrantVerb = isActive ? 'revoke' : 'cancel';
  const label = isActive ? trans.__('Hand back') : trans.__('Withdraw');
  const place = grant.parent
    ? trans._n('results of %1 job', 'results of %1 jobs', grant.jobs.length)
    : (notebooks.nameOfKernel(grant.kernel_id) ??
      trans.__('kernel %1', grant.kernel_id.slice(0, 8)));
  return (
    <li className={`jp-Qsec-item jp-Qsec-grant jp-mod-${grant.state}`}>
      <div className="jp-Qsec-row">
        <span className="jp-Qsec-main jp-Qsec-strong">
          {grant.extends ? trans.__('%1, more time', title) : title}
        </span>
        {isActive ? (
          <Countdown grant={grant} title={title} />
        ) : (
          <StateBadge grant={grant} />
        )}
      </div>
      {isActive ? <Remaining grant={grant} /> : null}
      <div className="jp-Qsec-row jp-mod-end">
        <span className="jp-Qsec-main jp-Qsec-dim" title={grant.reason}>
          {[place, grant.ticket, grant.reason].filter(Boolean).join(' · ')}
        </span>
        {isActive && !grant.parent ? (
          <Extend grant={grant} state={props.state} onAsk={run} busy={busy} />
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
      {problem ? <ProblemCard problem={problem} /> : null}
    </li>
  );
}

/** Asks for as much again, as far as the target allows; nothing where it allows no more. */
function Extend(props: {
  grant: IGrant;
  state: IState;
  busy: boolean;
  onAsk: (ask: () => Promise<unknown>) => Promise<boolean>;
}): JSX.Element | null {
  const { model, trans } = usePanel();
  const { grant, state } = props;
  const target = state.targets.find(one => one.name === grant.target);
  const { activated_at: begun, expires_at: ends } = grant;
  if (!target || !begun || !ends) {
    return null;
  }
  const whole = (Date.parse(ends) - Date.parse(begun)) / 1000;
  const more = Math.min(
    target.default_duration,
    Math.floor((target.max_duration - whole) / 60) * 60
  );
  const waits = state.grants.some(
    one => one.extends === grant.id && one.state === 'requested'
  );
  if (more < 60 || waits) {
    return null;
  }
  const length = spell(more);
  return (
    <button
      type="button"
      className="jp-Qsec-button"
      disabled={props.busy}
      aria-label={trans.__('Extend %1 by %2', target.title, length)}
      title={trans.__('Ask for %1 more', length)}
      onClick={() =>
        void props.onAsk(() => model.extend(grant.id, length.replace(' ', '')))
      }
    >
      {trans.__('+ %1', length)}
    </button>
  );
}

function EndedGrant(props: { grant: IGrant; state: IState }): JSX.Element {
  const { model } = usePanel();
  const { grant } = props;
  const moment = grant.ended_at ?? grant.decided_at ?? grant.requested_at;
  return (
    <li className={`jp-Qsec-item jp-mod-${grant.state}`}>
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span>{targetTitle(props.state, grant.target)}</span>
          <span className="jp-Qsec-dim">
            {[grant.reason, grant.decision_comment].filter(Boolean).join(' · ')}
          </span>
        </div>
        <StateBadge grant={grant} />
        <span className="jp-Qsec-age" title={moment}>
          {age(moment, model.now())}
        </span>
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

function Countdown(props: { grant: IGrant; title: string }): JSX.Element {
  const { trans, warnMinutes } = usePanel();
  const left = secondsLeft(props.grant, useNow(true)) ?? 0;
  const isLow = left <= warnMinutes() * 60;
  return (
    <span
      className={`jp-Qsec-countdown${isLow ? ' jp-mod-low' : ''}`}
      role="timer"
      aria-label={trans.__('%1: %2 left', props.title, spell(left))}
      title={
        isLow
          ? trans.__('Ends soon: %1', props.grant.expires_at)
          : trans.__('Until %1', props.grant.expires_at)
      }
    >
      {isLow ? <span aria-hidden="true">⚠ </span> : null}
      {clockFace(left)}
    </span>
  );
}

/** The same as a bar, for the eye only. */
function Remaining(props: { grant: IGrant }): JSX.Element {
  const { warnMinutes } = usePanel();
  const left = secondsLeft(props.grant, useNow(true)) ?? 0;
  const share = Math.min(1, left / Math.max(1, props.grant.duration));
  const isLow = left <= warnMinutes() * 60;
  return (
    <div
      className={`jp-Qsec-bar${isLow ? ' jp-mod-low' : ''}`}
      aria-hidden="true"
    >
      <span style={{ width: `${100 * share}%` }} />
    </div>
  );
}

/** Tells a screen reader when a grant's time passes a threshold, and not each second. */
function Announcer(props: { state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { grants } = props.state;
  const now = useNow(grants.some(grant => grant.state === 'active'));
  const before = useRef(new Map<string, number>());
  const [text, setText] = useState('');
  useEffect(() => {
    const said: string[] = [];
    const seen = new Map<string, number>();
    for (const grant of grants) {
      const left = secondsLeft(grant, now);
      if (left === null) {
        continue;
      }
      const last = before.current.get(grant.id);
      const mark = last === undefined ? null : crossedThreshold(last, left);
      if (mark !== null) {
        const title = targetTitle(props.state, grant.target);
        said.push(
          mark > 0
            ? trans.__('%1: %2 left', title, spell(mark))
            : trans.__('%1: the grant has ended', title)
        );
      }
      seen.set(grant.id, left);
    }
    before.current = seen;
    if (said.length > 0) {
      setText(said.join('. '));
    }
  }, [grants, now, props.state, trans]);
  return (
    <div className="jp-Qsec-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
