import React, { useEffect, useState } from 'react';

/** Milliseconds without a key until a search is asked for. */
const PAUSE = 250;

/** A field to search by, which waits until its user pauses. */
export function Search(props: {
  label: string;
  placeholder: string;
  value: string;
  onSearch: (text: string) => void;
}): JSX.Element {
  const { value, onSearch } = props;
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text === value) {
      return;
    }
    const timer = setTimeout(() => onSearch(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text, value, onSearch]);
  return (
    <input
      type="search"
      className="jp-Qsec-input"
      aria-label={props.label}
      placeholder={props.placeholder}
      value={text}
      onChange={event => setText(event.target.value)}
    />
  );
}
