import type { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext, useState } from 'react';

import type { IPanelApi } from '../api';
import type { IState } from '../contract';
import type { FindingsModel } from '../findings/model';
import type { Notebooks } from '../notebooks';
import { Problem } from '../problem';
import type { QsecSettings } from '../settings';
import { useTick } from '../ticker';
import type { IQsecModel } from '../tokens';

/** What every part of the panel needs. */
export interface IPanelContext {
  model: IQsecModel;
  notebooks: Notebooks;
  api: IPanelApi;
  findings: FindingsModel;
  trans: TranslationBundle;
  settings: QsecSettings;
}

export const PanelContext = createContext<IPanelContext | null>(null);

export function usePanel(): IPanelContext {
  const context = useContext(PanelContext);
  if (!context) {
    throw new Error('A part of the panel stands outside of the panel');
  }
  return context;
}

/** The server's clock, ticking each second while the caller shows something that runs. */
export function useNow(isRunning: boolean): number {
  const { model } = usePanel();
  useTick(isRunning);
  return model.now();
}

/** Run one click at a time, and hold its refusal for the eye. */
export function useAction(): {
  busy: boolean;
  problem: Problem | null;
  clear: () => void;
  run: (work: () => Promise<unknown>) => Promise<boolean>;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(Problem.from(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, clear: () => setProblem(null), run };
}

/** A target's title, or its name when the catalogue does not list it. */
export function targetTitle(state: IState, name: string): string {
  return state.targets.find(target => target.name === name)?.title ?? name;
}
