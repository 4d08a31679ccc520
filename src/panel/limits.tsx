import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ILimits, IState, ITarget } from '../contract';
import { spell } from '../countdown';
import { usePanel } from './context';

type Quota = ILimits['quotas'][number];

/** What a job at a target with a gateway must keep to, and what is left of this month's quotas. */
export function Limits(props: {
  target: ITarget;
  state: IState;
}): JSX.Element | null {
  const { trans } = usePanel();
  const limits = props.state.limits.find(
    one => one.target === props.target.name
  );
  const currency = props.target.price?.currency ?? '';
  const rows = limits
    ? [
        ...envelope(limits, trans),
        ...limits.quotas.map(one => left(one, currency, trans))
      ]
    : [];
  return rows.length === 0 ? null : (
    <dl
      className="jp-Qsec-terms jp-Qsec-secondary"
      aria-label={trans.__('Limits')}
    >
      {rows.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

type Row = readonly [name: string, value: string];

function envelope(limits: ILimits, trans: TranslationBundle): Row[] {
  const { max_execution_time: time } = limits;
  const most = [
    limits.max_shots === null
      ? ''
      : trans._n('%1 shot', '%1 shots', limits.max_shots),
    limits.max_circuits === null
      ? ''
      : trans._n('%1 circuit', '%1 circuits', limits.max_circuits),
    limits.max_width === null ? '' : trans.__('width %1', limits.max_width),
    limits.max_depth === null ? '' : trans.__('depth %1', limits.max_depth),
    time === null ? '' : spell(time)
  ];
  const rows: Row[] = [
    [trans.__('A job, at most'), most.filter(Boolean).join(', ')],
    [trans.__('Backends'), limits.backends.join(', ')]
  ];
  return rows.filter(([, value]) => value !== '');
}

function left(quota: Quota, currency: string, trans: TranslationBundle): Row {
  const { allowed, used } = quota;
  const unit = {
    jobs: trans.__('jobs'),
    shots: trans.__('shots'),
    execution_seconds: trans.__('seconds on the device'),
    cost: currency
  }[quota.unit];
  const whose = {
    user: trans.__('Yours this month'),
    project: trans.__('Each project’s this month'),
    target: trans.__('Everybody’s this month')
  }[quota.by];
  const rest = Math.max(0, allowed - (used ?? 0));
  return [
    `${whose}, ${unit}`,
    used === null
      ? trans.__('%1 in all', round(allowed))
      : trans.__('%1 of %2 left', round(rest), round(allowed))
  ];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
