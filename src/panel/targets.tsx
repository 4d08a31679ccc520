import { UseSignal } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import type { IGrant, ILock, IState, ITarget } from '../contract';
import { sayServer } from '../serverTexts';
import { Announcer } from './announcer';
import { usePanel } from './context';
import { Ended, OpenGrant, openGrants } from './grants';
import { Limits } from './limits';
import { Empty, Section } from './parts';
import { PasteForm } from './pasteForm';
import { RequestForm } from './requestForm';
import { Tier, useFacts } from './targetFacts';

/** One card a target: what it is, what is held there, and the one next thing to do. */
export function Targets(props: {
  state: IState;
  /** Name of the target whose form a command asked to open. */
  wanted: string | null;
  onDone: () => void;
}): JSX.Element {
  const { trans, notebooks } = usePanel();
  const { state } = props;
  const { targets } = state;
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
  const held = openGrants(state);
  const known = new Set(targets.map(target => target.name));
  return (
    <Section title={trans.__('Targets')} count={targets.length}>
      <Announcer state={state} />
      {targets.length === 0 ? (
        <Empty>
          {trans.__(
            'The catalogue lists no target. An operator adds them to catalog.toml.'
          )}
        </Empty>
      ) : null}
      <UseSignal signal={notebooks.changed}>
        {() => (
          <ul className="jp-Qsec-targets">
            {targets.map(target => (
              <TargetCard
                key={target.name}
                target={target}
                state={state}
                grants={held.filter(grant => grant.target === target.name)}
                open={open === target.name}
                onOpen={() => setOpen(target.name)}
                onClose={close}
              />
            ))}
            {held
              .filter(grant => !known.has(grant.target))
              .map(grant => (
                <li key={grant.id} className="jp-Qsec-target">
                  <span className="jp-Qsec-strong">{grant.target}</span>
                  <ul className="jp-Qsec-list">
                    <OpenGrant grant={grant} state={state} />
                  </ul>
                </li>
              ))}
          </ul>
        )}
      </UseSignal>
      {targets.length > 0 && held.length === 0 ? (
        <p className="jp-Qsec-hint">
          {trans.__(
            'No open grant. Request a target above, or run qsec.request(…) in a notebook.'
          )}
        </p>
      ) : null}
      <Ended state={state} />
    </Section>
  );
}

function TargetCard(props: {
  target: ITarget;
  state: IState;
  grants: readonly IGrant[];
  open: boolean;
  onOpen: () => void;
  onClose: () => void;
}): JSX.Element {
  const { notebooks, trans } = usePanel();
  const { target, state, grants, open } = props;
  const button = useRef<HTMLButtonElement>(null);
  const facts = useFacts(target);
  const lock = state.locks.find(one => holds(one, target));
  // The notebook in front holds or awaits it already: what is left to do stands beside its grant.
  const kernel = notebooks.active?.kernelId;
  const isHeld = grants.some(one => !one.parent && one.kernel_id === kernel);
  // The control plane decides; this spares the others a button that would be refused. A Vault takes a value
  // from a person only, so that its own log names who wrote it.
  const mayPaste =
    state.vault.kind === 'sealed-store' &&
    target.tier !== 'operate' &&
    state.principal.roles.includes('admin');
  const close = () => {
    props.onClose();
    button.current?.focus();
  };
  return (
    <li
      className={`jp-Qsec-target${lock ? ' jp-mod-locked' : ''}`}
      aria-label={target.title}
    >
      <div className="jp-Qsec-row">
        <div className="jp-Qsec-main">
          <span
            className="jp-Qsec-strong"
            title={sayServer(target.revocability, trans)}
          >
            {target.title}
          </span>
          <span className="jp-Qsec-dim jp-Qsec-secondary">{facts}</span>
        </div>
        {lock ? (
          <span className="jp-Qsec-badge jp-mod-revoked" title={lock.reason}>
            {trans.__('Locked')}
          </span>
        ) : isHeld && !open ? null : (
          <button
            ref={button}
            type="button"
            className={`jp-Qsec-button${open ? '' : ' jp-mod-primary'}`}
            aria-expanded={open}
            aria-label={trans.__('Request access to %1', target.title)}
            onClick={open ? close : props.onOpen}
          >
            {trans.__('Request')}
          </button>
        )}
      </div>
      <Tier target={target} />
      <Limits target={target} state={state} />
      {grants.length > 0 ? (
        <ul className="jp-Qsec-list">
          {grants.map(grant => (
            <OpenGrant key={grant.id} grant={grant} state={state} />
          ))}
        </ul>
      ) : null}
      {open && !lock ? (
        <RequestForm target={target} state={state} onClose={close} />
      ) : null}
      {mayPaste && !open ? <PasteForm target={target} /> : null}
    </li>
  );
}

function holds(lock: ILock, target: ITarget): boolean {
  return (
    lock.kind === 'site' ||
    (lock.kind === 'target' && lock.name === target.name)
  );
}
