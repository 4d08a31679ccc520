import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { Activity } from '../activity/tab';
import { shieldIcon } from '../icons';
import { Jobs } from '../jobs/tab';
import { Problem } from '../problem';
import { RunsTab } from '../runs/tab';
import { Approvals } from './approvals';
import { Banners } from './banners';
import type { IPanelContext } from './context';
import { PanelContext, usePanel } from './context';
import { LastFindings } from './findings/last';
import { Findings } from './findings/tab';
import { Health } from './health';
import { Identity } from './identity';
import { ProblemCard, Skeleton } from './parts';
import { Presence } from './presence';
import { Runs } from './runs';
import { Tabs } from './tabs';
import { Targets } from './targets';

/** The views of the panel. */
export type TabName = 'overview' | 'runs' | 'jobs' | 'findings' | 'activity';

/** The sidebar: who, where, what is granted, what ran, what was found. */
export class QsecPanel extends ReactWidget {
  constructor(context: IPanelContext) {
    super();
    this._context = context;
    this.id = QsecPanel.ID;
    this.addClass('jp-Qsec');
    this.addClass('jp-mod-opening');
    this.title.icon = shieldIcon;
    this.title.caption = context.trans.__('Quantum security');
    context.settings.changed.connect(this._onSettings, this);
    this._onSettings();
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.title.caption);
  }

  /** Open the request form of a target, or of the first one. */
  openRequest(target?: string): void {
    const name = target ?? this._context.model.state?.targets[0]?.name ?? null;
    this._wanted = name;
    this.openTab('overview');
  }

  /** Bring a tab to the front. */
  openTab(name: TabName): void {
    this._tab = name;
    this._wantedChanged.emit();
  }

  protected render(): JSX.Element {
    const done = () => {
      this._wanted = null;
    };
    return (
      <PanelContext.Provider value={this._context}>
        <UseSignal signal={this._context.model.changed}>
          {() => (
            <UseSignal signal={this._wantedChanged}>
              {() => (
                <Content
                  wanted={this._wanted}
                  onDone={done}
                  tab={this._tab}
                  onTab={name => this.openTab(name)}
                />
              )}
            </UseSignal>
          )}
        </UseSignal>
      </PanelContext.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    // The side area has been laid out by the next frame but one; the width that it has then stays.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.removeClass('jp-mod-opening');
        this.parent?.fit();
      })
    );
  }

  private _onSettings(): void {
    this.toggleClass('jp-mod-compact', this._context.settings.now.compact);
    this.update();
  }

  private _context: IPanelContext;
  private _tab: TabName = 'overview';
  private _wanted: string | null = null;
  private _wantedChanged = new Signal<this, void>(this);
}

export namespace QsecPanel {
  export const ID = 'qsec-panel';
}

function Content(props: {
  wanted: string | null;
  onDone: () => void;
  tab: TabName;
  onTab: (name: TabName) => void;
}): JSX.Element {
  const { model, trans } = usePanel();
  const { state, problem } = model;
  if (!state) {
    return (
      <div className="jp-Qsec-scroll">
        {problem ? <Trouble problem={problem} /> : <Skeleton />}
      </div>
    );
  }
  const { onTab } = props;
  const head = (
    <>
      {problem ? <Trouble problem={problem} /> : null}
      <VersionNote />
    </>
  );
  const stale = problem ? 'jp-Qsec-data jp-mod-stale' : 'jp-Qsec-data';
  const tab = (content: JSX.Element) => () => (
    <>
      {head}
      <div className={stale}>{content}</div>
    </>
  );
  const overview = tab(
    <>
      <Identity state={state} />
      <Banners state={state} />
      <Presence state={state} />
      <Approvals state={state} />
      <Targets state={state} wanted={props.wanted} onDone={props.onDone} />
      <Runs state={state} onAll={() => onTab('runs')} />
      <LastFindings state={state} onAll={() => onTab('findings')} />
    </>
  );
  const runs = tab(<RunsTab state={state} />);
  const jobs = tab(<Jobs state={state} />);
  const findings = tab(<Findings />);
  const activity = tab(<Activity state={state} />);
  return (
    <>
      <Tabs
        label={trans.__('Quantum security')}
        current={props.tab}
        onSelect={name => onTab(name as TabName)}
        tabs={[
          { id: 'overview', label: trans.__('Overview'), render: overview },
          { id: 'runs', label: trans.__('Runs'), render: runs },
          // Where nothing goes through a gateway, there is nothing to list.
          ...(state.targets.some(one => one.tier === 'proxy')
            ? [{ id: 'jobs', label: trans.__('Jobs'), render: jobs }]
            : []),
          { id: 'findings', label: trans.__('Findings'), render: findings },
          { id: 'activity', label: trans.__('Activity'), render: activity }
        ]}
      />
      <Health health={state.health} stale={problem !== null} />
    </>
  );
}

function Trouble(props: { problem: Problem }): JSX.Element {
  const { model, trans } = usePanel();
  const problem = props.problem.isMissingExtension
    ? new Problem({
        code: 'server.extension_missing',
        title: trans.__('The server side of qsec-jupyter is not running'),
        remedy: trans.__(
          'Install qsec-jupyter in the environment of this Jupyter server and restart the server.'
        ),
        status: 404
      })
    : props.problem;
  return (
    <ProblemCard problem={problem}>
      <button
        type="button"
        className="jp-Qsec-button"
        onClick={() => model.refresh()}
      >
        {trans.__('Try again')}
      </button>
    </ProblemCard>
  );
}

function VersionNote(): JSX.Element | null {
  const { model, trans } = usePanel();
  if (!model.otherVersion) {
    return null;
  }
  return (
    <p className="jp-Qsec-note" role="status">
      {trans.__(
        'The server runs qsec-jupyter %1. Reload this page to bring it up to date.',
        model.otherVersion
      )}
    </p>
  );
}
