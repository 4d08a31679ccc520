import React from 'react';

import { usePanel } from '../panel/context';
import { PageHead } from '../panel/pageHead';
import { ProblemCard, Skeleton } from '../panel/parts';
import type { IAnswered } from './useAnswer';

/** A page above a list (of runs, unless it says otherwise), with the way back to it. */
export function Page<T>(props: {
  title: string;
  back?: string;
  answer: IAnswered<T>;
  onBack: () => void;
  children: (value: T) => React.ReactNode;
}): JSX.Element {
  const { trans } = usePanel();
  const { value, problem, again } = props.answer;
  return (
    <section className="jp-Qsec-page" aria-label={props.title}>
      <PageHead
        back={props.back ?? trans.__('All runs')}
        onBack={props.onBack}
      />
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
