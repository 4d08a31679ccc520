import { UseSignal } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import type { IState, ITarget } from '../contract';
import { spell } from '../countdown';
import { usePanel } from './context';
import { Empty, Section } from './parts';
import { RequestForm } from './requestForm';

/** Where one can go, and the way to ask for it. */
export function Targets(props: {
  state: IState;
  /** Name of the target whose form a command asked to open. */
  wanted: string | null;
  onDone: () => void;
}): JSX.Element {
  const { trans, notebooks } = usePanel();
  const { targets } = props.state;
  const [open, setOpen] = useState<string | null>(props.wanted);
  useEffect(() => {
    if (props.wanted) {
      setOpen(props.wanted);
    }
  }, [props.wanted]);
  const close = () => {
    setOpen(null);
    props.onDone();
  };
  return (
    <Section title={trans.__('Targets')} count={targets.length}>
      {targets.length === 0 ? (
        <Empty>
          {trans.__(
            'The catalogue lists no target. An operator adds them to catalog.toml.'
          )}
        </Empty>
      ) : (
        <UseSignal signal={notebooks.changed}>
          {() => (
            <ul className="jp-Qsec-list">
              {targets.map(target => (
                <TargetRow
                  key={target.name}
                  target={target}
                  open={open === target.name}
                  onOpen={() => setOpen(target.name)}
                  onClose={close}
                />
              ))}
            </ul>
          )}
        </UseSignal>
      )}
    </Section>
  );
}

function TargetRow(props: {
  target: ITarget;
  open: boolean;
  onOpen: () => void;
  onClose: () => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { target, open } = props;
  const button = useRef<HTMLButtonElement>(null);
  const facts = [
    target.provider,
    target.approval === 'auto'
      ? trans.__('auto-approved')
      : trans.__('needs approval'),
    trans.__('max %1', spell(target.max_duration))
  ];
  const close = () => {
    props.onClose();
    button.current?.focus();
  };
  return (
    <li className="jp-Qsec-item">
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span className="jp-Qsec-strong" title={target.revocability}>
            {target.title}
          </span>
          <span className="jp-Qsec-dim">{facts.join(' · ')}</span>
        </div>
        <button
          ref={button}
          type="button"
          className="jp-Qsec-button"
          aria-expanded={open}
          aria-label={trans.__('Request access to %1', target.title)}
          onClick={open ? close : props.onOpen}
        >
          {trans.__('Request')}
        </button>
      </div>
      {open ? <RequestForm target={target} onClose={close} /> : null}
    </li>
  );
}
