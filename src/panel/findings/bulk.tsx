import { checkIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { askToKeep } from '../../keepDialog';
import { usePanel } from '../context';

/** What can be done with the chosen findings. */
export function Bulk(): JSX.Element | null {
  const { findings: model, trans } = usePanel();
  const { chosen } = model;
  const all = model.findings ?? [];
  if (chosen.length === 0) {
    return null;
  }
  const ids = all.map(finding => finding.id);
  const open = chosen.filter(finding => finding.action !== 'kept');
  const keep = async () => {
    const choice = await askToKeep(open, trans);
    if (choice) {
      await model.keep(choice.reason, choice.fingerprints);
    }
  };
  const mayReplace = model.mayReplace('marker');
  return (
    <div
      className="jp-Qsec-bulk"
      role="group"
      aria-label={trans.__('Chosen findings')}
    >
      <span className="jp-Qsec-bulkHead" role="status">
        {trans._n('%1 chosen', '%1 chosen', chosen.length)}
        {chosen.length < all.length ? (
          <button
            type="button"
            className="jp-Qsec-link"
            onClick={() => model.choose(ids, true)}
          >
            {trans.__('Choose all %1', all.length)}
          </button>
        ) : null}
        <button
          type="button"
          className="jp-Qsec-link"
          onClick={() => model.choose(ids, false)}
        >
          {trans.__('Clear')}
        </button>
      </span>
      {model.mayReplace('broker') ? (
        <Act isFirst onClick={() => model.replace('broker')}>
          {trans.__('Replace by a broker call')}
        </Act>
      ) : null}
      {mayReplace ? (
        <Act onClick={() => model.replace('marker')}>{trans.__('Redact')}</Act>
      ) : null}
      {open.length > 0 ? (
        <Act onClick={keep}>{trans.__('Keep with a reason…')}</Act>
      ) : null}
      {open.length < chosen.length ? (
        <Act onClick={() => model.unkeep()}>{trans.__('Take back')}</Act>
      ) : null}
      {!mayReplace && open.length > 0 ? (
        <span className="jp-Qsec-dim">
          {trans.__(
            'No open cell still holds these: the files have the marker.'
          )}
        </span>
      ) : null}
    </div>
  );
}

function Act(props: {
  isFirst?: boolean;
  onClick: () => Promise<unknown>;
  children: string;
}): JSX.Element {
  const { findings: model } = usePanel();
  return (
    <button
      type="button"
      className={`jp-Qsec-button${props.isFirst ? ' jp-mod-primary' : ''}`}
      disabled={model.isBusy}
      onClick={() => void props.onClick()}
    >
      {props.children}
    </button>
  );
}

/** What was done, and the way back. */
export function Done(): JSX.Element | null {
  const { findings: model, trans } = usePanel();
  const { done } = model;
  if (!done) {
    return null;
  }
  const text = {
    broker: trans._n(
      '%1 cell asks the broker now.',
      '%1 cells ask the broker now.',
      done.count
    ),
    marker: trans._n('%1 cell redacted.', '%1 cells redacted.', done.count),
    kept: trans._n('%1 value kept.', '%1 values kept.', done.count),
    unkept: trans._n(
      '%1 value is masked again.',
      '%1 values are masked again.',
      done.count
    )
  }[done.what];
  return (
    <div className="jp-Qsec-done" role="status">
      <checkIcon.react tag="span" className="jp-Qsec-icon" />
      <span className="jp-Qsec-main">{text}</span>
      <button
        type="button"
        className="jp-Qsec-link"
        onClick={() => void model.undo()}
      >
        {trans.__('Undo')}
      </button>
    </div>
  );
}
