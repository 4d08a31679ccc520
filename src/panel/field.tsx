import React, { useId } from 'react';

/** A labelled field of a form, with the remark that belongs to it. */
export function Field(props: {
  label: string;
  error?: string;
  hint?: string;
  children: (attributes: IFieldAttributes) => JSX.Element;
}): JSX.Element {
  const id = useId();
  const { error, hint } = props;
  const remark = error ?? hint;
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <div className="jp-Qsec-field">
        {props.children({
          id,
          className: 'jp-Qsec-input',
          'aria-invalid': error ? true : undefined,
          'aria-describedby': remark ? `${id}-remark` : undefined
        })}
        {remark ? (
          <span
            id={`${id}-remark`}
            className={error ? 'jp-Qsec-fieldError' : 'jp-Qsec-fieldHint'}
          >
            {error ? <span aria-hidden="true">⚠ </span> : null}
            {remark}
          </span>
        ) : null}
      </div>
    </>
  );
}

/** What makes a control part of its field. */
export interface IFieldAttributes {
  id: string;
  className: string;
  'aria-invalid'?: boolean;
  'aria-describedby'?: string;
}
