import React from 'react';

import type { IState } from '../../contract';
import { usePanel } from '../context';
import { Empty, Section } from '../parts';
import { FindingRow } from './row';

/** How many of the last findings the overview shows. */
const LAST = 5;

/** The last secrets that saves found; all of them are in their own tab. */
export function LastFindings(props: {
  state: IState;
  onAll: () => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { findings } = props.state;
  return (
    <Section title={trans.__('Last findings')} count={findings.length}>
      {findings.length === 0 ? (
        <Empty>
          {trans.__(
            'Nothing found. Every notebook is scanned when it is saved.'
          )}
        </Empty>
      ) : (
        <ul className="jp-Qsec-list">
          {findings.slice(0, LAST).map(finding => (
            <FindingRow key={finding.id} finding={finding} />
          ))}
        </ul>
      )}
      <button type="button" className="jp-Qsec-more" onClick={props.onAll}>
        {trans.__('All findings, and what is covered')}
      </button>
    </Section>
  );
}
