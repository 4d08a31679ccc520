import { Clipboard } from '@jupyterlab/apputils';
import {
  caretDownIcon,
  caretRightIcon,
  checkIcon,
  copyIcon,
  errorIcon
} from '@jupyterlab/ui-components';
import React, { useEffect, useId, useState } from 'react';

import type { Problem } from '../problem';
import { sayProblem } from '../serverTexts';
import { usePanel } from './context';

/** A foldable part of the panel, with the number of things in it. */
export function Section(props: {
  title: string;
  count?: number;
  open?: boolean;
  urgent?: boolean;
  children: React.ReactNode;
}): JSX.Element {
  const [open, setOpen] = useState(props.open ?? true);
  const id = useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section
      className={`jp-Qsec-section${props.urgent ? ' jp-mod-urgent' : ''}`}
      aria-labelledby={`${id}-title`}
    >
      <h3 className="jp-Qsec-sectionHeader">
        <button
          type="button"
          id={`${id}-title`}
          className="jp-Qsec-sectionToggle"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" className="jp-Qsec-caret" />
          <span className="jp-Qsec-sectionTitle">{props.title}</span>
          {props.count ? (
            <span className="jp-Qsec-count">{props.count}</span>
          ) : null}
        </button>
      </h3>
      <div id={id} className="jp-Qsec-sectionBody" hidden={!open}>
        {props.children}
      </div>
    </section>
  );
}

/** A list that shows its first items, and the rest on request. */
export function List<T>(props: {
  items: readonly T[];
  row: (item: T) => JSX.Element;
  first?: number;
}): JSX.Element {
  const { trans } = usePanel();
  const [all, setAll] = useState(false);
  const first = props.first ?? 5;
  const items = all ? props.items : props.items.slice(0, first);
  return (
    <>
      <ul className="jp-Qsec-list">{items.map(props.row)}</ul>
      {props.items.length > first ? (
        <button
          type="button"
          className="jp-Qsec-more"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all
            ? trans.__('Show fewer')
            : trans.__('Show all %1', props.items.length)}
        </button>
      ) : null}
    </>
  );
}

/** What a part says when there is nothing to show. */
export function Empty(props: { children: React.ReactNode }): JSX.Element {
  return <p className="jp-Qsec-empty">{props.children}</p>;
}

/** A fact's name and what it is; without a value it is not shown. */
export type Term = readonly [name: string, value: React.ReactNode];

/** Facts beside their names. */
export function Terms(props: { terms: readonly Term[] }): JSX.Element {
  return (
    <dl className="jp-Qsec-terms">
      {props.terms
        .filter(([, value]) => value || value === 0)
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

/** A refusal or failure: what happened, and what to do. */
export function ProblemCard(props: {
  problem: Problem;
  children?: React.ReactNode;
}): JSX.Element {
  const { trans } = usePanel();
  const { title, detail, remedy } = sayProblem(props.problem, trans);
  return (
    <div className="jp-Qsec-problem" role="alert">
      <errorIcon.react tag="span" className="jp-Qsec-problemIcon" />
      <div className="jp-Qsec-problemText">
        <strong>{title}</strong>
        {detail ? <p>{detail}</p> : null}
        {remedy ? <p className="jp-Qsec-remedy">{remedy}</p> : null}
        {props.children}
      </div>
    </div>
  );
}

/** Copies a text and says so. */
export function CopyButton(props: {
  text: string;
  label: string;
}): JSX.Element {
  const { trans } = usePanel();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? checkIcon : copyIcon;
  return (
    <button
      type="button"
      className="jp-Qsec-copy"
      title={`${props.label}: ${props.text}`}
      onClick={() => {
        Clipboard.copyToSystem(props.text);
        setCopied(true);
      }}
    >
      <Icon.react tag="span" className="jp-Qsec-icon" />
      <span aria-live="polite">
        {copied ? trans.__('Copied') : props.label}
      </span>
    </button>
  );
}

/** Grey bars while the first answer is on its way. */
export function Skeleton(): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="jp-Qsec-skeleton" role="status">
      <span className="jp-Qsec-hidden">{trans.__('Loading…')}</span>
      {[60, 85, 40, 70, 55].map(width => (
        <div
          key={width}
          className="jp-Qsec-bone"
          style={{ width: `${width}%` }}
        />
      ))}
    </div>
  );
}
