import React from 'react';

/** What a list can be narrowed by. */
export function Filters(props: {
  label: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="jp-Qsec-filters" role="search" aria-label={props.label}>
      {props.children}
    </div>
  );
}

/** A choice among few, of which the first one does not restrict. */
export function Choice(props: {
  label: string;
  value: string;
  options: ReadonlyArray<readonly [string, string]>;
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <select
      className={`jp-Qsec-input${props.value && props.value !== 'any' ? ' jp-mod-set' : ''}`}
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {props.options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}
