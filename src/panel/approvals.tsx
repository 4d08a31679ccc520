import React, { useState } from 'react';

import type { IAwaitedGrant, IState } from '../contract';
import { age, spell } from '../countdown';
import { targetTitle, useAction, usePanel } from './context';
import { ProblemCard, Section } from './parts';

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
  const { model, notebooks, trans } = usePanel();
  const { grant, state } = props;
  const { busy, problem, run } = useAction();
  const [comment, setComment] = useState('');
  const title = targetTitle(state, grant.target);
  const isOwn = grant.requester === state.principal.name;
  const place = notebooks.nameOfKernel(grant.kernel_id);
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
          <span className="jp-Qsec-dim">
            {[
              isOwn ? trans.__('asked by you') : grant.requester,
              grant.ticket,
              grant.project,
              grant.data_class === state.data_classes.default
                ? null
                : grant.data_class,
              place,
              age(grant.requested_at, model.now())
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
          <Terms grant={grant} state={state} />
        </div>
      </div>
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

/** When it begins, what runs, what it costs, what changed since the last approval, and who agreed already. */
function Terms(props: {
  grant: IAwaitedGrant;
  state: IState;
}): JSX.Element | null {
  const { trans } = usePanel();
  const { grant, state } = props;
  const target = state.targets.find(one => one.name === grant.target);
  const rounds = target?.rounds ?? [];
  const needed = rounds.reduce((sum, round) => sum + round.quorum, 0);
  const { payload } = grant;
  const rows: [string, React.ReactNode][] = [];
  if (grant.start_at) {
    rows.push([trans.__('Begins'), new Date(grant.start_at).toLocaleString()]);
  }
  if (payload) {
    rows.push([
      trans.__('Runs'),
      trans._n(
        '%1 circuit on %2, %3 shots',
        '%1 circuits on %2, %3 shots',
        payload.circuits.length,
        payload.backend,
        payload.shots
      )
    ]);
  }
  if (grant.cost) {
    rows.push([trans.__('Costs about'), grant.cost]);
  }
  for (const { field, approved, asked } of grant.changes) {
    rows.push([
      {
        circuits: trans.__('Circuits changed'),
        backend: trans.__('Backend changed'),
        shots: trans.__('Shots changed')
      }[field],
      <>
        <del>{brief(approved)}</del> → <ins>{brief(asked)}</ins>
      </>
    ]);
  }
  if (grant.votes.length > 0) {
    rows.push([
      trans.__('Approved by'),
      trans.__(
        '%1 (%2 of %3)',
        grant.votes.map(vote => vote.reviewer).join(', '),
        grant.votes.length,
        needed
      )
    ]);
  }
  if (rows.length === 0) {
    return null;
  }
  return (
    <dl className="jp-Qsec-terms">
      {rows.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** Digests by their beginnings: enough to see that they differ. */
function brief(value: string[] | string | number): string {
  return Array.isArray(value)
    ? value.map(one => one.slice(0, 8)).join(', ')
    : String(value);
}
