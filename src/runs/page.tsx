import { caretLeftIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useRef } from 'react';

import { usePanel } from '../panel/context';
import { ProblemCard, Skeleton } from '../panel/parts';
import type { IAnswered } from './useAnswer';

/** A page above the list of runs, with the way back to it. */
export function Page<T>(props: {
  title: string;
  answer: IAnswered<T>;
  onBack: () => void;
  children: (value: T) => React.ReactNode;
}): JSX.Element {
  const { trans } = usePanel();
  const { value, problem, again } = props.answer;
  const back = useRef<HTMLButtonElement>(null);
  // Who came by keyboard goes on from here.
  useEffect(() => back.current?.focus(), []);
  return (
    <section className="jp-Qsec-page" aria-label={props.title}>
      <div className="jp-Qsec-pageHead">
        <button
          ref={back}
          type="button"
          className="jp-Qsec-back"
          onClick={props.onBack}
        >
          <caretLeftIcon.react tag="span" className="jp-Qsec-icon" />
          {trans.__('All runs')}
        </button>
      </div>
      {problem ? (
        <ProblemCard problem={problem}>
          <button type="button" className="jp-Qsec-button" onClick={again}>
            {trans.__('Try again')}
          </button>
        </ProblemCard>
      ) : value === null ? (
        <Skeleton />
      ) : (
        props.children(value)
      )}
    </section>
  );
}
