import React, { useState } from 'react';

import type { IAwaitedGrant, IState } from '../contract';
import { sayMoment, spell } from '../countdown';
import { sayClass } from '../wish';
import { Age } from './age';
import { targetTitle, useAction, usePanel } from './context';
import type { Term } from './parts';
import { ProblemCard, Section, Terms } from './parts';

/** From how many requests on they can be searched, and denied together. */
const MANY = 3;

/** Requests that wait for this person; nothing at all when none does. */
export function Approvals(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const { approvals } = props.state;
  const [search, setSearch] = useState('');
  if (approvals.length === 0) {
    return null;
  }
  const many = approvals.length >= MANY;
  const shown = many
    ? approvals.filter(grant => matches(grant, search))
    : approvals;
  return (
    <Section
      title={trans.__('Waiting for your decision')}
      count={approvals.length}
      urgent
    >
      {many ? (
        <Queue search={search} onSearch={setSearch} shown={shown} />
      ) : null}
      <ul className="jp-Qsec-list">
        {shown.map(grant => (
          <Approval key={grant.id} grant={grant} state={props.state} />
        ))}
      </ul>
    </Section>
  );
}

function matches(grant: IAwaitedGrant, search: string): boolean {
  const { target, requester, reason, ticket, project } = grant;
  const text = [target, requester, reason, ticket, project].join(' ');
  return text.toLowerCase().includes(search.trim().toLowerCase());
}

/** Search, and one denial for all that is shown. */
function Queue(props: {
  search: string;
  onSearch: (search: string) => void;
  shown: readonly IAwaitedGrant[];
}): JSX.Element {
  const { model, trans } = usePanel();
  const { busy, problem, run } = useAction();
  const [comment, setComment] = useState<string | null>(null);
  const { shown } = props;
  const deny = async () => {
    const ids = shown.map(grant => grant.id);
    if (await run(() => model.denyAll(ids, (comment ?? '').trim()))) {
      setComment(null);
    }
  };
  return (
    <div className="jp-Qsec-queue">
      <div className="jp-Qsec-row">
        <input
          className="jp-Qsec-input"
          type="search"
          value={props.search}
          placeholder={trans.__('Search requests')}
          aria-label={trans.__('Search requests')}
          onChange={event => props.onSearch(event.target.value)}
        />
        {comment === null ? (
          <button
            type="button"
            className="jp-Qsec-button"
            disabled={shown.length === 0}
            onClick={() => setComment('')}
          >
            {trans.__('Deny %1…', shown.length)}
          </button>
        ) : null}
      </div>
      {comment === null ? null : (
        <div className="jp-Qsec-decision">
          <input
            className="jp-Qsec-input"
            value={comment}
            maxLength={200}
            autoFocus
            placeholder={trans.__('Why (all of them read it)')}
            aria-label={trans.__('Comment on the denial')}
            onChange={event => setComment(event.target.value)}
          />
          <div className="jp-Qsec-formButtons">
            <button
              type="button"
              className="jp-Qsec-button"
              onClick={() => setComment(null)}
            >
              {trans.__('Cancel')}
            </button>
            <button
              type="button"
              className="jp-Qsec-button jp-mod-primary"
              disabled={busy || shown.length === 0}
              onClick={() => void deny()}
            >
              {trans._n('Deny %1 request', 'Deny %1 requests', shown.length)}
            </button>
          </div>
        </div>
      )}
      {problem ? <ProblemCard problem={problem} /> : null}
    </div>
  );
}

function Approval(props: { grant: IAwaitedGrant; state: IState }): JSX.Element {
  const { model, trans } = usePanel();
  const { grant, state } = props;
  const { busy, problem, run } = useAction();
  const [comment, setComment] = useState('');
  const title = targetTitle(state, grant.target);
  const decide = (verb: 'approve' | 'deny') =>
    void run(() => model.act(grant.id, verb, comment.trim() || undefined));
  const heading = grant.extends
    ? trans.__('%1 for %2 more', title, spell(grant.duration))
    : trans.__('%1 for %2', title, spell(grant.duration));
  return (
    <li className="jp-Qsec-item">
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span className="jp-Qsec-strong">{heading}</span>
          <span className="jp-Qsec-quote">{grant.reason}</span>
        </div>
        <Age moment={grant.requested_at} />
      </div>
      <Request grant={grant} state={state} />
      <div className="jp-Qsec-decision">
        <input
          className="jp-Qsec-input"
          value={comment}
          maxLength={200}
          placeholder={trans.__('Comment (optional)')}
          aria-label={trans.__('Comment on the decision about %1', title)}
          onChange={event => setComment(event.target.value)}
        />
        <div className="jp-Qsec-formButtons">
          <button
            type="button"
            className="jp-Qsec-button"
            disabled={busy}
            aria-label={trans.__('Deny %1', title)}
            onClick={() => decide('deny')}
          >
            {trans.__('Deny')}
          </button>
          <button
            type="button"
            className="jp-Qsec-button jp-mod-primary"
            disabled={busy}
            aria-label={trans.__('Approve %1', title)}
            onClick={() => decide('approve')}
          >
            {trans.__('Approve')}
          </button>
        </div>
      </div>
      {problem ? <ProblemCard problem={problem} /> : null}
    </li>
  );
}

/** Who asks, for what work, what runs, at what cost, what changed since the last approval, and who agreed already. */
function Request(props: { grant: IAwaitedGrant; state: IState }): JSX.Element {
  const terms = [
    ...useCircumstances(props.grant, props.state),
    ...usePayload(props.grant),
    ...useVotes(props.grant, props.state)
  ];
  return <Terms terms={terms} />;
}

function useCircumstances(grant: IAwaitedGrant, state: IState): Term[] {
  const { notebooks, trans } = usePanel();
  const isOwn = grant.requester_subject === state.principal.subject;
  const roles = grant.requester_roles.join(', ');
  const who = isOwn
    ? trans.__('%1 (you)', grant.requester)
    : roles
      ? `${grant.requester} (${roles})`
      : grant.requester;
  return [
    [trans.__('Asked by'), who],
    [trans.__('Ticket'), grant.ticket],
    [trans.__('Project'), grant.project],
    [trans.__('Data class'), sayClass(grant.data_class, trans)],
    [trans.__('Notebook'), notebooks.nameOfKernel(grant.kernel_id)],
    [trans.__('Begins'), grant.start_at && sayMoment(grant.start_at)],
    [
      trans.__('Decide by'),
      grant.pending_until && sayMoment(grant.pending_until)
    ],
    [
      trans.__('Emergency'),
      grant.break_glass ? trans.__('asked to skip approval') : null
    ]
  ];
}

function usePayload(grant: IAwaitedGrant): Term[] {
  const { trans } = usePanel();
  const { payload } = grant;
  const names = {
    circuits: trans.__('Circuits changed'),
    backend: trans.__('Backend changed'),
    shots: trans.__('Shots changed')
  };
  return [
    [
      trans.__('Runs'),
      payload &&
        trans._n(
          '%1 circuit on %2, %3 shots',
          '%1 circuits on %2, %3 shots',
          payload.circuits.length,
          payload.backend,
          payload.shots
        )
    ],
    [trans.__('Costs about'), grant.cost],
    ...grant.changes.map(({ field, approved, asked }): Term => [
      names[field],
      <>
        <del>{brief(approved)}</del> → <ins>{brief(asked)}</ins>
      </>
    ])
  ];
}

function useVotes(grant: IAwaitedGrant, state: IState): Term[] {
  const { trans } = usePanel();
  const target = state.targets.find(one => one.name === grant.target);
  const rounds = target?.rounds ?? [];
  const needed = rounds.reduce((sum, round) => sum + round.quorum, 0);
  const names = grant.votes.map(vote => vote.reviewer).join(', ');
  return [
    [
      trans.__('Approved by'),
      names && trans.__('%1 (%2 of %3)', names, grant.votes.length, needed)
    ]
  ];
}

/** Digests by their beginnings: enough to see that they differ. */
function brief(value: string[] | string | number): string {
  return Array.isArray(value)
    ? value.map(one => one.slice(0, 8)).join(', ')
    : String(value);
}
