import React, { useEffect, useRef, useState } from 'react';

import type { IState, ITarget } from '../contract';
import { costOf } from '../cost';
import { asDuration, durationChoices, spell } from '../countdown';
import type { IWish } from '../wish';
import { check, dataClassOf, sayClass } from '../wish';
import { useAction, usePanel } from './context';
import { Field } from './field';
import { ProblemCard } from './parts';

/** Asks for one target, for the kernel of the notebook in front; says what does not fit while it is typed. */
export function RequestForm(props: {
  target: ITarget;
  state: IState;
  onClose: () => void;
}): JSX.Element {
  const { model, notebooks, trans } = usePanel();
  const { target, state, onClose } = props;
  const { busy, problem, run } = useAction();
  const [wish, setWish] = useState<IWish>({
    reason: '',
    ticket: '',
    project: '',
    start: '',
    duration: target.default_duration,
    emergency: false
  });
  // Nobody is told of an empty field before having been there.
  const [touched, setTouched] = useState<ReadonlySet<keyof IWish>>(new Set());
  const [later, setLater] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const active = notebooks.active;
  const kernelId = active?.kernelId ?? null;
  const dataClass = dataClassOf(active?.dataClass ?? null, wish.project, state);
  const { errors, hints } = check(wish, target, dataClass, model.now(), trans);
  const projects = state.projects.filter(
    one => one.targets.length === 0 || one.targets.includes(target.name)
  );
  const set = (changes: Partial<IWish>) => setWish({ ...wish, ...changes });
  const touch = (name: keyof IWish) => setTouched(new Set([...touched, name]));
  const shown = (name: keyof IWish) =>
    touched.has(name) || wish[name] !== '' ? errors[name] : undefined;
  const isComplete = Object.keys(errors).length === 0 && !target.bind_payload;
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    if (!kernelId || busy || !isComplete) {
      return;
    }
    if (await run(() => model.request(requestOf(wish, target, kernelId)))) {
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
      noValidate
      onSubmit={submit}
      onKeyDown={onKeyDown}
    >
      <Field label={trans.__('Reason')} error={shown('reason')}>
        {attributes => (
          <input
            {...attributes}
            ref={first}
            value={wish.reason}
            required
            maxLength={200}
            placeholder={trans.__('What you need it for')}
            onBlur={() => touch('reason')}
            onChange={event => set({ reason: event.target.value })}
          />
        )}
      </Field>
      <Field label={trans.__('Ticket')} error={shown('ticket')}>
        {attributes => (
          <input
            {...attributes}
            value={wish.ticket}
            required={target.ticket_required}
            maxLength={64}
            placeholder={
              target.ticket_required && target.ticket_pattern
                ? trans.__('Like %1', target.ticket_pattern)
                : target.ticket_required
                  ? ''
                  : trans.__('Optional')
            }
            onBlur={() => touch('ticket')}
            onChange={event => set({ ticket: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={trans.__('For')}
        error={errors.duration}
        hint={hints.duration}
      >
        {attributes => (
          <select
            {...attributes}
            value={wish.duration}
            onChange={event => set({ duration: Number(event.target.value) })}
          >
            {durationChoices(target.default_duration, target.max_duration).map(
              seconds => (
                <option key={seconds} value={seconds}>
                  {spell(seconds)}
                </option>
              )
            )}
          </select>
        )}
      </Field>
      {projects.length > 0 ? (
        <Field label={trans.__('Project')}>
          {attributes => (
            <select
              {...attributes}
              value={wish.project}
              onChange={event => set({ project: event.target.value })}
            >
              <option value="">{trans.__('None')}</option>
              {projects.map(one => (
                <option key={one.name} value={one.name}>
                  {one.title}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : null}
      {later ? (
        <Field label={trans.__('From')} error={errors.start} hint={hints.start}>
          {attributes => (
            <input
              {...attributes}
              type="datetime-local"
              value={wish.start}
              onChange={event => set({ start: event.target.value })}
            />
          )}
        </Field>
      ) : (
        <button
          type="button"
          className="jp-Qsec-link jp-Qsec-formMore"
          onClick={() => setLater(true)}
        >
          {trans.__('Begin later…')}
        </button>
      )}
      {target.break_glass ? (
        <label className="jp-Qsec-formCheck">
          <input
            type="checkbox"
            checked={wish.emergency}
            onChange={event => set({ emergency: event.target.checked })}
          />
          {trans.__('Emergency: skip approval. It is recorded and reviewed.')}
        </label>
      ) : null}
      <Notes target={target} dataClass={sayClass(dataClass, trans)} />
      {errors.dataClass ? (
        <p className="jp-Qsec-formNote jp-Qsec-fieldError" role="status">
          <span aria-hidden="true">⚠ </span>
          {errors.dataClass}
        </p>
      ) : null}
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

/** For which kernel and class, at what price, and who decides. */
function Notes(props: { target: ITarget; dataClass: string }): JSX.Element {
  const { notebooks, trans } = usePanel();
  const { target } = props;
  const { price } = target;
  const { active } = notebooks;
  return (
    <div className="jp-Qsec-formNote">
      <p role="status">
        {active?.kernelId
          ? trans.__('For the kernel of %1', active.name)
          : active
            ? trans.__('%1 has no running kernel: start it first.', active.name)
            : trans.__(
                'Open a notebook with a running kernel first: a grant belongs to one kernel.'
              )}
      </p>
      <p>{trans.__('Data class: %1', props.dataClass)}</p>
      {price ? (
        <p>
          {trans.__(
            'A job of one circuit with 1000 shots costs about %1.',
            costOf(price, 1, 1000)
          )}
        </p>
      ) : null}
      {target.bind_payload ? (
        <p>
          {trans.__(
            'Given out for one exact run: ask in the notebook, with qsec.request(…, run=(circuit, backend, shots)).'
          )}
        </p>
      ) : null}
    </div>
  );
}

function requestOf(wish: IWish, target: ITarget, kernelId: string) {
  const ticket = wish.ticket.trim();
  return {
    target: target.name,
    reason: wish.reason.trim(),
    duration: asDuration(wish.duration),
    kernel_id: kernelId,
    ...(ticket ? { ticket } : {}),
    ...(wish.project ? { project: wish.project } : {}),
    ...(wish.emergency ? { break_glass: true } : {}),
    ...(wish.start ? { start: new Date(wish.start).toISOString() } : {})
  };
}
