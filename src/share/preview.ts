import type * as nbformat from '@jupyterlab/nbformat';

/** What a notebook holds that a shared copy need not. */
export interface IContents {
  outputs: number;
  executionCounts: number;
  /** Names of metadata entries, of the notebook and of its cells. */
  metadata: string[];
}

/** Metadata that stays, or that only Jupyter Server's answer has and no file. */
const NEEDED = new Set(['kernelspec', 'language_info', 'tags', 'trusted']);

/** Count what a copy would lose. The server strips; this only tells beforehand. */
export function contentsOf(notebook: nbformat.INotebookContent): IContents {
  const names = new Set(
    Object.keys(notebook.metadata ?? {}).filter(name => !NEEDED.has(name))
  );
  let outputs = 0;
  let executionCounts = 0;
  for (const cell of notebook.cells ?? []) {
    Object.keys(cell.metadata ?? {})
      .filter(name => !NEEDED.has(name))
      .forEach(name => names.add(name));
    if (cell.cell_type === 'code') {
      const code = cell as nbformat.ICodeCell;
      outputs += code.outputs?.length ?? 0;
      executionCounts += code.execution_count ? 1 : 0;
    }
  }
  return { outputs, executionCounts, metadata: [...names].sort() };
}
