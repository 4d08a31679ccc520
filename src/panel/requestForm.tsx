import React, { useEffect, useId, useRef, useState } from 'react';

import type { ITarget } from '../contract';
import { durationChoices, spell } from '../countdown';
import { useAction, usePanel } from './context';
import { ProblemCard } from './parts';

/** Asks for one target, for the kernel of the notebook in front. */
export function RequestForm(props: {
  target: ITarget;
  onClose: () => void;
}): JSX.Element {
  const { model, notebooks, trans } = usePanel();
  const { target, onClose } = props;
  const { busy, problem, run } = useAction();
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const [project, setProject] = useState('');
  const [start, setStart] = useState('');
  const [duration, setDuration] = useState(target.default_duration);
  const [later, setLater] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => first.current?.focus(), []);

  const active = notebooks.active;
  const projects = (model.state?.projects ?? []).filter(
    one => one.targets.length === 0 || one.targets.includes(target.name)
  );
  const isComplete =
    reason.trim() !== '' && (ticket.trim() !== '' || !target.ticket_required);
  const kernelId = active?.kernelId ?? null;
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    if (!kernelId || busy) {
      return;
    }
    const request = {
      target: target.name,
      reason: reason.trim(),
      duration: spell(duration).replace(' ', ''),
      kernel_id: kernelId,
      ...(ticket.trim() ? { ticket: ticket.trim() } : {}),
      ...(project ? { project } : {}),
      ...(start ? { start: new Date(start).toISOString() } : {})
    };
    if (await run(() => model.request(request))) {
      onClose();
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  };

  return (
    <form
      className="jp-Qsec-form"
      aria-label={trans.__('Request access to %1', target.title)}
      onSubmit={submit}
      onKeyDown={onKeyDown}
    >
      <label htmlFor={`${id}-reason`}>{trans.__('Reason')}</label>
      <input
        id={`${id}-reason`}
        ref={first}
        className="jp-Qsec-input"
        value={reason}
        required
        maxLength={200}
        placeholder={trans.__('What you need it for')}
        onChange={event => setReason(event.target.value)}
      />
      <label htmlFor={`${id}-ticket`}>{trans.__('Ticket')}</label>
      <input
        id={`${id}-ticket`}
        className="jp-Qsec-input"
        value={ticket}
        required={target.ticket_required}
        maxLength={64}
        placeholder={
          target.ticket_pattern
            ? trans.__('Like %1', target.ticket_pattern)
            : trans.__('Optional')
        }
        onChange={event => setTicket(event.target.value)}
      />
      <label htmlFor={`${id}-duration`}>{trans.__('For')}</label>
      <select
        id={`${id}-duration`}
        className="jp-Qsec-input"
        value={duration}
        onChange={event => setDuration(Number(event.target.value))}
      >
        {durationChoices(target.default_duration, target.max_duration).map(
          seconds => (
            <option key={seconds} value={seconds}>
              {spell(seconds)}
            </option>
          )
        )}
      </select>
      {projects.length > 0 ? (
        <>
          <label htmlFor={`${id}-project`}>{trans.__('Project')}</label>
          <select
            id={`${id}-project`}
            className="jp-Qsec-input"
            value={project}
            onChange={event => setProject(event.target.value)}
          >
            <option value="">{trans.__('None')}</option>
            {projects.map(one => (
              <option key={one.name} value={one.name}>
                {one.title}
              </option>
            ))}
          </select>
        </>
      ) : null}
      {later ? (
        <>
          <label htmlFor={`${id}-start`}>{trans.__('From')}</label>
          <input
            id={`${id}-start`}
            className="jp-Qsec-input"
            type="datetime-local"
            value={start}
            onChange={event => setStart(event.target.value)}
          />
        </>
      ) : (
        <button
          type="button"
          className="jp-Qsec-more"
          onClick={() => setLater(true)}
        >
          {trans.__('Begin later…')}
        </button>
      )}
      <p className="jp-Qsec-formNote" role="status">
        {kernelId
          ? trans.__('For the kernel of %1', active?.name)
          : active
            ? trans.__('%1 has no running kernel: start it first.', active.name)
            : trans.__(
                'Open a notebook with a running kernel first: a grant belongs to one kernel.'
              )}
      </p>
      {problem ? <ProblemCard problem={problem} /> : null}
      <div className="jp-Qsec-formButtons">
        <button type="button" className="jp-Qsec-button" onClick={onClose}>
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="jp-Qsec-button jp-mod-primary"
          disabled={!kernelId || busy || !isComplete}
        >
          {busy ? trans.__('Asking…') : trans.__('Request access')}
        </button>
      </div>
    </form>
  );
}
