import { PathExt } from '@jupyterlab/coreutils';
import React from 'react';

import type { IRecordedFinding } from '../../contract';
import { actionOf, placeOf } from '../../place';
import { saySeverity } from '../../sayings';
import { sayServer } from '../../serverTexts';
import { Age } from '../age';
import { useAction, usePanel } from '../context';
import { ProblemCard } from '../parts';

/** One finding: a button that goes to its place, and where it can be chosen, a box for that. */
export function FindingRow(props: {
  finding: IRecordedFinding;
  mayChoose?: boolean;
}): JSX.Element {
  const { findings: model, notebooks, trans } = usePanel();
  const finding = model.here(props.finding);
  const title = sayServer(finding.title, trans);
  const { problem, run } = useAction();
  const place = placeOf(finding, trans);
  const file = PathExt.basename(finding.path);
  const action = actionOf(finding, trans);
  const isChosen = props.mayChoose && model.isChosen(finding.id);
  return (
    <li
      className={`jp-Qsec-item jp-Qsec-found${isChosen ? ' jp-mod-chosen' : ''}`}
    >
      {props.mayChoose ? (
        <input
          type="checkbox"
          className="jp-Qsec-pick"
          checked={isChosen}
          aria-label={trans.__('Choose %1, %2', title, place)}
          onChange={event => model.choose([finding.id], event.target.checked)}
        />
      ) : null}
      <button
        type="button"
        className="jp-Qsec-open"
        title={sayServer(finding.remedy, trans)}
        aria-label={trans.__(
          '%1 in %2, %3. %4. Go to the cell.',
          `${title}, ${saySeverity(finding.severity, trans)},`,
          file,
          place,
          action
        )}
        onClick={() =>
          void run(() => notebooks.reveal(model.here(props.finding)))
        }
      >
        <span className="jp-Qsec-row">
          <span className="jp-Qsec-main jp-Qsec-strong">{title}</span>
          <span className={`jp-Qsec-severity jp-mod-${finding.severity}`}>
            {saySeverity(finding.severity, trans)}
          </span>
        </span>
        <span className="jp-Qsec-dim jp-Qsec-secondary">
          {file} · {place}
        </span>
        <span className="jp-Qsec-row">
          <span className="jp-Qsec-main jp-Qsec-dim">{action}</span>
          <Age moment={finding.found_at} />
        </span>
      </button>
      {problem ? <ProblemCard problem={problem} /> : null}
    </li>
  );
}
