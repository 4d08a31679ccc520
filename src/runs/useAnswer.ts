import { useEffect, useRef, useState } from 'react';

import { Problem } from '../problem';

/** What was asked for, or why it did not come; both null while it is on its way. */
export interface IAnswered<T> {
  value: T | null;
  problem: Problem | null;
  again: () => void;
}

/** Ask once for each key, and let go of answers that come too late. */
export function useAnswer<T>(key: string, ask: () => Promise<T>): IAnswered<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    let wanted = true;
    setValue(null);
    setProblem(null);
    latest.current().then(
      answer => wanted && setValue(answer),
      error => wanted && setProblem(Problem.from(error))
    );
    return () => {
      wanted = false;
    };
  }, [key, attempt]);
  return { value, problem, again: () => setAttempt(attempt + 1) };
}
