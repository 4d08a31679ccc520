import { PathExt } from '@jupyterlab/coreutils';
import React from 'react';

import type { IRecordedFinding, IState } from '../contract';
import { placeOf } from '../place';
import { age } from '../countdown';
import { useAction, usePanel } from './context';
import { Empty, List, ProblemCard, Section } from './parts';

/** The last secrets that saves found; a click goes to the cell. */
export function Findings(props: { state: IState }): JSX.Element {
  const { trans } = usePanel();
  const { findings } = props.state;
  return (
    <Section title={trans.__('Findings')} count={findings.length}>
      {findings.length === 0 ? (
        <Empty>
          {trans.__(
            'Nothing found. Every notebook is scanned when it is saved.'
          )}
        </Empty>
      ) : (
        <List
          items={findings}
          row={finding => <FoundSecret key={finding.id} finding={finding} />}
        />
      )}
    </Section>
  );
}

function FoundSecret(props: { finding: IRecordedFinding }): JSX.Element {
  const { model, notebooks, trans } = usePanel();
  const { finding } = props;
  const { problem, run } = useAction();
  const place = placeOf(finding, trans);
  const file = PathExt.basename(finding.path);
  const action = {
    redacted: trans.__('Masked in the file'),
    kept: finding.kept_reason
      ? trans.__('Kept: %1', finding.kept_reason)
      : trans.__('Kept'),
    reported: trans.__('Reported only')
  }[finding.action];
  return (
    <li className="jp-Qsec-item">
      <button
        type="button"
        className="jp-Qsec-finding"
        title={finding.remedy}
        aria-label={trans.__(
          '%1 in %2, %3. %4. Go to the cell.',
          finding.title,
          file,
          place,
          action
        )}
        onClick={() => void run(() => notebooks.reveal(finding))}
      >
        <span className="jp-Qsec-main">
          <span className="jp-Qsec-row">
            <span className="jp-Qsec-main jp-Qsec-strong">{finding.title}</span>
            <span className={`jp-Qsec-severity jp-mod-${finding.severity}`}>
              {finding.severity}
            </span>
          </span>
          <span className="jp-Qsec-dim">
            {file} · {place}
          </span>
          <span className="jp-Qsec-row">
            <span className="jp-Qsec-main jp-Qsec-dim">{action}</span>
            <span className="jp-Qsec-age" title={finding.found_at}>
              {age(finding.found_at, model.now())}
            </span>
          </span>
        </span>
      </button>
      {problem ? <ProblemCard problem={problem} /> : null}
    </li>
  );
}
