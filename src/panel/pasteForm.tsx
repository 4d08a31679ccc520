import React, { useRef, useState } from 'react';

import type { ITarget } from '../contract';
import { useAction, usePanel } from './context';
import { ProblemCard } from './parts';

/**
 * Takes a new value for a target and hands it to the server at once.
 *
 * The value is in the field alone: never in the state of this page, and the field is emptied before the answer comes.
 */
export function PasteForm(props: { target: ITarget }): JSX.Element {
  const { api, trans } = usePanel();
  const { target } = props;
  const { busy, problem, run } = useAction();
  const [open, setOpen] = useState(false);
  const [where, setWhere] = useState('');
  const [isEmpty, setEmpty] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const keep = async (event: React.FormEvent) => {
    event.preventDefault();
    const value = field.current?.value ?? '';
    if (field.current) {
      field.current.value = '';
    }
    setEmpty(true);
    const isKept = await run(async () => {
      setWhere((await api.keepSecret(target.name, value)).where);
    });
    setOpen(!isKept);
  };
  if (!open) {
    return (
      <div className="jp-Qsec-paste jp-Qsec-secondary">
        <button
          type="button"
          className="jp-Qsec-link jp-Qsec-dim"
          aria-label={trans.__('Paste a new value for %1', target.title)}
          onClick={() => setOpen(true)}
        >
          {trans.__('Paste a new value…')}
        </button>
        <span className="jp-Qsec-dim" role="status">
          {where ? trans.__('Kept in %1.', where) : ''}
        </span>
      </div>
    );
  }
  return (
    <form
      className="jp-Qsec-decision"
      aria-label={trans.__('New value for %1', target.title)}
      onSubmit={keep}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <input
        ref={field}
        type="password"
        className="jp-Qsec-input"
        autoFocus
        autoComplete="new-password"
        placeholder={trans.__('API key or token')}
        aria-label={trans.__('New value for %1', target.title)}
        onChange={event => setEmpty(event.target.value.trim() === '')}
      />
      <p className="jp-Qsec-dim">
        {trans.__(
          'It goes to the store, never through a kernel. Open grants get it at their next use.'
        )}
      </p>
      {problem ? <ProblemCard problem={problem} /> : null}
      <div className="jp-Qsec-formButtons">
        <button
          type="button"
          className="jp-Qsec-button"
          onClick={() => setOpen(false)}
        >
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="jp-Qsec-button jp-mod-primary"
          disabled={busy || isEmpty}
        >
          {trans.__('Keep in the store')}
        </button>
      </div>
    </form>
  );
}
