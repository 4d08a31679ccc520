import React, { useId, useRef } from 'react';

/** One view of the panel. */
export interface ITab {
  id: string;
  label: string;
  render: () => JSX.Element;
}

/** Tabs by the ARIA pattern: arrow keys move, and only the one in front is in the tab order. */
export function Tabs(props: {
  label: string;
  tabs: readonly ITab[];
  current: string;
  onSelect: (id: string) => void;
}): JSX.Element {
  const { tabs, current, onSelect } = props;
  const id = useId();
  const buttons = useRef<Record<string, HTMLButtonElement | null>>({});
  const front = tabs.find(tab => tab.id === current) ?? tabs[0];
  const move = (event: React.KeyboardEvent) => {
    const at = tabs.indexOf(front);
    const to = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at + tabs.length - 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      onSelect(tabs[to].id);
      buttons.current[tabs[to].id]?.focus();
    }
  };
  return (
    <>
      <div
        className="jp-Qsec-tabs"
        role="tablist"
        aria-label={props.label}
        onKeyDown={move}
      >
        {tabs.map(tab => (
          <button
            key={tab.id}
            ref={button => {
              buttons.current[tab.id] = button;
            }}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            className="jp-Qsec-tab"
            aria-selected={tab === front}
            aria-controls={`${id}-view`}
            tabIndex={tab === front ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        className="jp-Qsec-scroll"
        role="tabpanel"
        id={`${id}-view`}
        aria-labelledby={`${id}-${front.id}`}
      >
        {front.render()}
      </div>
    </>
  );
}
