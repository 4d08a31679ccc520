import React, { useState } from 'react';

import type { IState } from '../contract';
import { RunDetail } from './detail';
import { RunDiff } from './diff';
import { RunList } from './list';
import type { IRunQuery } from './query';
import { EVERYTHING } from './query';

/** What the tab shows: the list, one run, or what changed between two. */
type View =
  { kind: 'list' } | { kind: 'run'; id: string } | { kind: 'diff'; pair: Pair };

/** The older and the newer of two runs. */
export type Pair = readonly [string, string];

/** Every recorded run of this control plane: find one, read it, cite it, compare two. */
export function RunsTab(props: { state: IState }): JSX.Element {
  const [view, setView] = useState<View>({ kind: 'list' });
  const [query, setQuery] = useState<IRunQuery>(EVERYTHING);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const back = () => setView({ kind: 'list' });
  const open = (id: string) => setView({ kind: 'run', id });
  if (view.kind === 'run') {
    return <RunDetail id={view.id} onBack={back} onOpen={open} />;
  }
  if (view.kind === 'diff') {
    return <RunDiff pair={view.pair} onBack={back} onOpen={open} />;
  }
  return (
    <RunList
      state={props.state}
      query={query}
      picked={picked}
      onQuery={setQuery}
      onPick={setPicked}
      onOpen={open}
      onCompare={pair => setView({ kind: 'diff', pair })}
    />
  );
}
