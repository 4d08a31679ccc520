import React, { useEffect, useRef, useState } from 'react';

import type { IState } from '../contract';
import { crossedThreshold, secondsLeft, spell } from '../countdown';
import { targetTitle, useNow, usePanel } from './context';

/** Tells a screen reader when a grant's time passes a warning, and not each second. */
export function Announcer(props: { state: IState }): JSX.Element {
  const { settings, trans } = usePanel();
  const { state } = props;
  const now = useNow(state.grants.some(grant => grant.state === 'active'));
  const before = useRef(new Map<string, number>());
  const [text, setText] = useState('');
  useEffect(() => {
    const thresholds = settings.now.expiryWarnings.map(minutes => minutes * 60);
    const said: string[] = [];
    const seen = new Map<string, number>();
    for (const grant of state.grants) {
      const left = secondsLeft(grant, now);
      if (left === null) {
        continue;
      }
      const last = before.current.get(grant.id) ?? left;
      const mark = crossedThreshold(last, left, thresholds);
      if (mark !== null) {
        const title = targetTitle(state, grant.target);
        said.push(
          mark > 0
            ? trans.__('%1: %2 left', title, spell(mark))
            : trans.__('%1: the grant has ended', title)
        );
      }
      seen.set(grant.id, left);
    }
    before.current = seen;
    if (said.length > 0) {
      setText(said.join('. '));
    }
  }, [now, settings, state, trans]);
  return (
    <div className="jp-Qsec-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
