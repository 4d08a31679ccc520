import type { TranslationBundle } from '@jupyterlab/translation';
import {
  checkIcon,
  errorIcon,
  infoIcon,
  searchIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { CoverageState, ICoverage } from '../../share/contract';
import { usePanel } from '../context';
import { Empty } from '../parts';
import { PageHead } from '../pageHead';

/** A row for each way out of a notebook: is it looked after, and by what. What is not, comes first. */
export function Coverage(props: { coverage: ICoverage }): JSX.Element {
  const { findings: model, trans } = usePanel();
  const { path, rows } = props.coverage;
  const order: CoverageState[] = [
    'not covered',
    'reported',
    'scanned',
    'redacted'
  ];
  const sorted = [...rows].sort(
    (a, b) => order.indexOf(a.state) - order.indexOf(b.state)
  );
  return (
    <section className="jp-Qsec-page" aria-label={trans.__('What is covered')}>
      <PageHead
        back={trans.__('All findings')}
        onBack={() => model.hideCoverage()}
      />
      <h3 className="jp-Qsec-pageTitle">{trans.__('Ways out of %1', path)}</h3>
      {rows.length === 0 ? (
        <Empty>{trans.__('The server tells of no way out.')}</Empty>
      ) : (
        <ul className="jp-Qsec-list">
          {sorted.map((row, index) => (
            <li key={index} className="jp-Qsec-item jp-Qsec-row">
              <State state={row.state} />
              <span className="jp-Qsec-main">
                <span className="jp-Qsec-strong">
                  {row.surface}: {row.route}
                </span>
                <span className="jp-Qsec-dim">
                  {[wordOf(row.state, trans), row.by, row.note]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function State(props: { state: CoverageState }): JSX.Element {
  const Icon = {
    redacted: checkIcon,
    scanned: searchIcon,
    reported: infoIcon,
    'not covered': errorIcon
  }[props.state];
  return (
    <span
      className={`jp-Qsec-status jp-mod-${props.state.replace(' ', '-')}`}
      aria-hidden="true"
    >
      <Icon.react tag="span" className="jp-Qsec-icon" />
    </span>
  );
}

function wordOf(state: CoverageState, trans: TranslationBundle): string {
  return {
    redacted: trans.__('Redacted'),
    scanned: trans.__('Scanned'),
    reported: trans.__('Reported'),
    'not covered': trans.__('Not covered')
  }[state];
}
