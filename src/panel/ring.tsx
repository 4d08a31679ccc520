import React from 'react';

import type { IGrant } from '../contract';
import {
  clockFace,
  sayMoment,
  secondsLeft,
  spell,
  warningReached,
  wholeTime
} from '../countdown';
import { useNow, usePanel } from './context';

/** A grant's time as a ring that empties and a clock face; a warning shows by sign, weight and colour. */
export function Countdown(props: {
  grant: IGrant;
  title: string;
}): JSX.Element {
  const { settings, trans } = usePanel();
  const { grant, title } = props;
  const now = useNow(true);
  const left = secondsLeft(grant, now) ?? 0;
  const { expiryWarnings } = settings.now;
  const isLow = warningReached(grant, now, expiryWarnings) !== null;
  const until = sayMoment(grant.expires_at ?? '');
  return (
    <span
      className={`jp-Qsec-countdown${isLow ? ' jp-mod-low' : ''}`}
      role="timer"
      aria-label={trans.__('%1: %2 left', title, spell(left))}
      title={
        isLow ? trans.__('Ends soon: %1', until) : trans.__('Until %1', until)
      }
    >
      <Ring share={left / wholeTime(grant)} />
      {isLow ? <span aria-hidden="true">⚠</span> : null}
      {clockFace(left)}
    </span>
  );
}

/** For the eye only. Its circumference is 100. */
function Ring(props: { share: number }): JSX.Element {
  const share = Math.max(0, Math.min(1, props.share));
  return (
    <svg className="jp-Qsec-ring" viewBox="0 0 40 40" aria-hidden="true">
      <circle className="jp-Qsec-ringTrack" cx="20" cy="20" r="15.9155" />
      <circle
        className="jp-Qsec-ringLeft"
        cx="20"
        cy="20"
        r="15.9155"
        strokeDasharray={`${(100 * share).toFixed(1)} 100`}
      />
    </svg>
  );
}
