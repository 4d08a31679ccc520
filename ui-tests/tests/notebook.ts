import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

/** The parts of a JupyterLab cell and application that the tests reach for; both live in the page. */
interface IShared {
  cells: Array<{ getSource(): string; setSource(text: string): void }>;
  addCell(cell: object): unknown;
}

interface INotebookPanel {
  content: { activeCellIndex: number; deselectAll(): void };
  context: { model: { sharedModel: IShared; dirty: boolean } };
  sessionContext: { session: { kernel: { status: string } | null } | null };
}

declare global {
  interface Window {
    jupyterapp: {
      commands: {
        execute(id: string, args?: object): Promise<unknown>;
      };
      shell: { currentWidget: INotebookPanel };
    };
  }
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
      () =>
        window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel
          ?.status === 'idle',
      undefined,
      { timeout: 60_000 }
    );
  }

  /** Append a cell and run it; returns its output as soon as the cell is sent. */
  async run(source: string): Promise<Locator> {
    const index = await this.write(source);
    await this.page.evaluate(at => {
      const { commands, shell } = window.jupyterapp;
      shell.currentWidget.content.deselectAll();
      shell.currentWidget.content.activeCellIndex = at;
      void commands.execute('notebook:run-cell');
    }, index);
    return this.output(index);
  }

  /** Append a cell; returns its index. */
  async write(source: string): Promise<number> {
    return this.page.evaluate(text => {
      const { sharedModel } =
        window.jupyterapp.shell.currentWidget.context.model;
      sharedModel.addCell({ cell_type: 'code', source: text });
      return sharedModel.cells.length - 1;
    }, source);
  }

  output(index: number): Locator {
    return this.page
      .locator('.jp-Notebook-cell')
      .nth(index)
      .locator('.jp-OutputArea');
  }

  source(index: number): Promise<string> {
    return this.page.evaluate(
      at =>
        window.jupyterapp.shell.currentWidget.context.model.sharedModel.cells[
          at
        ].getSource(),
      index
    );
  }

  async save(): Promise<void> {
    await this.page.evaluate(() =>
      window.jupyterapp.commands.execute('docmanager:save')
    );
  }

  async expectClean(): Promise<void> {
    await expect
      .poll(() =>
        this.page.evaluate(
          () => window.jupyterapp.shell.currentWidget.context.model.dirty
        )
      )
      .toBe(false);
  }

  /** The file as it lies on disk. */
  onDisk(): string {
    return readFileSync(join(this._root, this._name), 'utf-8');
  }
}
