import { UseSignal } from '@jupyterlab/ui-components';
import React, { useCallback, useEffect } from 'react';

import type { IFindingFilter } from '../../findings/model';
import { Choice, Filters } from '../choice';
import { usePanel } from '../context';
import { Empty, ProblemCard, Skeleton } from '../parts';
import { Search } from '../search';
import { Bulk, Done } from './bulk';
import { Coverage } from './coverage';
import { FindingRow } from './row';

/** What saves found, what can be done about it, and what is looked after at all. */
export function Findings(): JSX.Element {
  const { findings: model } = usePanel();
  useEffect(() => model.start(), [model]);
  return (
    <UseSignal signal={model.changed}>
      {() =>
        model.coverage ? <Coverage coverage={model.coverage} /> : <Listed />
      }
    </UseSignal>
  );
}

function Listed(): JSX.Element {
  const { findings: model, trans } = usePanel();
  const { findings, problem } = model;
  return (
    <>
      <FindingFilters />
      <Done />
      {problem ? (
        <ProblemCard problem={problem}>
          <button
            type="button"
            className="jp-Qsec-button"
            onClick={() => void model.refresh()}
          >
            {trans.__('Try again')}
          </button>
        </ProblemCard>
      ) : null}
      {findings === null ? (
        problem ? null : (
          <Skeleton />
        )
      ) : findings.length === 0 ? (
        <Empty>
          {model.isFiltered
            ? trans.__('No finding matches.')
            : trans.__(
                'Nothing found. Every notebook is scanned when it is saved.'
              )}
        </Empty>
      ) : (
        <ul className="jp-Qsec-list" aria-label={trans.__('Findings')}>
          {findings.map(finding => (
            <FindingRow key={finding.id} finding={finding} mayChoose />
          ))}
        </ul>
      )}
      <Bulk />
    </>
  );
}

function FindingFilters(): JSX.Element {
  const { findings: model, notebooks, trans } = usePanel();
  const { filter } = model;
  const set = useCallback(
    (changes: Partial<IFindingFilter>) => void model.setFilter(changes),
    [model]
  );
  const search = useCallback((text: string) => set({ search: text }), [set]);
  return (
    <Filters label={trans.__('Find findings')}>
      <Search
        label={trans.__('Search findings')}
        placeholder={trans.__('Search rule, title, file')}
        value={filter.search}
        onSearch={search}
      />
      <Choice
        label={trans.__('Severity')}
        value={filter.severity}
        options={[
          ['', trans.__('Any severity')],
          ['critical', trans.__('Critical')],
          ['high', trans.__('High')],
          ['medium', trans.__('Medium')],
          ['low', trans.__('Low')]
        ]}
        onChange={severity => set({ severity })}
      />
      <UseSignal signal={notebooks.changed}>
        {() => {
          const path = filter.path || notebooks.active?.path;
          return (
            <Choice
              label={trans.__('Notebook')}
              value={filter.path}
              options={[
                ['', trans.__('All notebooks')],
                ...(path ? [[path, nameOf(path)] as const] : [])
              ]}
              onChange={chosen => set({ path: chosen })}
            />
          );
        }}
      </UseSignal>
      <UseSignal signal={notebooks.changed}>
        {() => {
          const { active } = notebooks;
          return active ? (
            <button
              type="button"
              className="jp-Qsec-link"
              onClick={() => void model.showCoverage(active.path)}
            >
              {trans.__('What is covered in %1', active.name)}
            </button>
          ) : (
            <></>
          );
        }}
      </UseSignal>
    </Filters>
  );
}

function nameOf(path: string): string {
  return path.split('/').pop() ?? path;
}
