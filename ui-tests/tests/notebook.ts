import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

/** The parts of JupyterLab's notebook panel that the tests reach for; it lives in the page. */
interface IPanel {
  content: { activeCellIndex: number; deselectAll(): void };
  context: {
    model: {
      dirty: boolean;
      sharedModel: {
        cells: Array<{ getSource(): string }>;
        addCell(cell: object): unknown;
      };
    };
  };
  sessionContext?: { session?: { kernel?: { status: string } | null } | null };
}

/** Write a notebook file as a user would have it lying around. */
export function writeNotebook(
  root: string,
  name: string,
  cells: object[] = []
): void {
  const content = {
    cells,
    metadata: {
      kernelspec: {
        name: 'python3',
        display_name: 'Python 3 (ipykernel)',
        language: 'python'
      },
      language_info: { name: 'python' }
    },
    nbformat: 4,
    nbformat_minor: 5
  };
  writeFileSync(join(root, name), JSON.stringify(content));
}

/** A code cell that ran long ago. */
export function oldCell(id: string, source: string, printed: string): object {
  return {
    id,
    cell_type: 'code',
    metadata: {},
    execution_count: 1,
    source,
    outputs: [{ output_type: 'stream', name: 'stdout', text: printed }]
  };
}

/** The notebook in front, driven through the application, seen through the page. */
export class Notebook {
  constructor(
    readonly page: Page,
    private _root: string,
    private _name: string
  ) {}

  /** Wait for a kernel that is at rest. */
  async ready(): Promise<void> {
    await this.page.waitForFunction(
      () => {
        const panel = window.jupyterapp.shell
          .currentWidget as unknown as IPanel | null;
        return panel?.sessionContext?.session?.kernel?.status === 'idle';
      },
      undefined,
      { timeout: 60_000 }
    );
  }

  /** Append a cell and run it; returns its output as soon as the cell is sent. */
  async run(source: string): Promise<Locator> {
    const index = await this.write(source);
    await this.page.evaluate(at => {
      const { commands, shell } = window.jupyterapp;
      const { content } = shell.currentWidget as unknown as IPanel;
      content.deselectAll();
      content.activeCellIndex = at;
      void commands.execute('notebook:run-cell');
    }, index);
    return this.output(index);
  }

  /** Append a cell; returns its index. */
  async write(source: string): Promise<number> {
    return this.page.evaluate(text => {
      const panel = window.jupyterapp.shell.currentWidget as unknown as IPanel;
      const { sharedModel } = panel.context.model;
      sharedModel.addCell({ cell_type: 'code', source: text });
      return sharedModel.cells.length - 1;
    }, source);
  }

  output(index: number): Locator {
    return this.page
      .locator('.jp-NotebookPanel:visible .jp-Notebook-cell')
      .nth(index)
      .locator('.jp-OutputArea');
  }

  source(index: number): Promise<string> {
    return this.page.evaluate(at => {
      const panel = window.jupyterapp.shell.currentWidget as unknown as IPanel;
      return panel.context.model.sharedModel.cells[at].getSource();
    }, index);
  }

  async save(): Promise<void> {
    await this.page.evaluate(async () => {
      await window.jupyterapp.commands.execute('docmanager:save');
    });
  }

  async expectClean(): Promise<void> {
    const isDirty = () =>
      this.page.evaluate(() => {
        const panel = window.jupyterapp.shell
          .currentWidget as unknown as IPanel;
        return panel.context.model.dirty;
      });
    await expect.poll(isDirty).toBe(false);
  }

  /** The file as it lies on disk. */
  onDisk(): string {
    return readFileSync(join(this._root, this._name), 'utf-8');
  }
}
