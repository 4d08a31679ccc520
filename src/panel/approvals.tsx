import React, { useState } from 'react';

import type { IGrant, IState } from '../contract';
import { age, spell } from '../countdown';
import { targetTitle, useAction, usePanel } from './context';
import { ProblemCard, Section } from './parts';

/** Requests that wait for this person; nothing at all when none does. */
export function Approvals(props: { state: IState }): JSX.Element | null {
  const { trans } = usePanel();
  const { approvals } = props.state;
  if (approvals.length === 0) {
    return null;
  }
  return (
    <Section
      title={trans.__('Waiting for your decision')}
      count={approvals.length}
      urgent
    >
      <ul className="jp-Qsec-list">
        {approvals.map(grant => (
          <Approval key={grant.id} grant={grant} state={props.state} />
        ))}
      </ul>
    </Section>
  );
}

function Approval(props: { grant: IGrant; state: IState }): JSX.Element {
  const { model, notebooks, trans } = usePanel();
  const { grant, state } = props;
  const { busy, problem, run } = useAction();
  const [comment, setComment] = useState('');
  const title = targetTitle(state, grant.target);
  const isOwn = grant.requester === state.principal.name;
  const place = notebooks.nameOfKernel(grant.kernel_id);
  const decide = (verb: 'approve' | 'deny') =>
    void run(() => model.act(grant.id, verb, comment.trim() || undefined));
  return (
    <li className="jp-Qsec-item">
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span className="jp-Qsec-strong">
            {trans.__('%1 for %2', title, spell(grant.duration))}
          </span>
          <span className="jp-Qsec-quote">{grant.reason}</span>
          <span className="jp-Qsec-dim">
            {[
              isOwn ? trans.__('asked by you') : grant.requester,
              grant.ticket,
              place,
              age(grant.requested_at, model.now())
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
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
