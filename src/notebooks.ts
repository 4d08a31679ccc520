import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** The notebook that a request at the panel is for. */
export interface IActiveNotebook {
  /** File name, for people. */
  name: string;
  /** As the server names the file. */
  path: string;
  /** Id of its running kernel, or null. */
  kernelId: string | null;
  /** Display name of that kernel, or an empty text. */
  kernelName: string;
  /** The data class that the notebook names, or null. */
  dataClass: string | null;
}

/** A place in a notebook: a cell by its id, or else by its index, and perhaps a spot in its source. */
export interface IPlace {
  path: string;
  cell_id?: string | null;
  cell: number | null;
  surface?: string;
  line?: number;
  column?: number;
  end_column?: number;
}

/** What the panel needs to know about open notebooks. Works without any: a page may have no notebook tracker. */
export class Notebooks implements IDisposable {
  constructor(
    tracker: INotebookTracker | null,
    contents: Contents.IManager,
    commands: CommandRegistry
  ) {
    this._tracker = tracker;
    this._contents = contents;
    this._commands = commands;
    tracker?.currentChanged.connect(this._emit, this);
    tracker?.widgetAdded.connect(this._watch, this);
    tracker?.forEach(panel => this._watch(tracker, panel));
  }

  /** Emitted when the active notebook, or a kernel, changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The notebook in front, or null. */
  get active(): IActiveNotebook | null {
    const panel = this._tracker?.currentWidget;
    if (!panel) {
      return null;
    }
    const { session, kernelDisplayName } = panel.sessionContext;
    const kernelId = session?.kernel?.id ?? null;
    return {
      name: panel.title.label,
      path: this._contents.localPath(panel.context.path),
      kernelId,
      kernelName: kernelId ? kernelDisplayName : '',
      dataClass: classOf(panel)
    };
  }

  /** The file name of the open notebook that runs a kernel, or null. */
  nameOfKernel(kernelId: string): string | null {
    const panel = this._tracker?.find(
      p => p.sessionContext.session?.kernel?.id === kernelId
    );
    return panel?.title.label ?? null;
  }

  /** Open a place's notebook and put the cursor on the cell. */
  async reveal(place: IPlace): Promise<void> {
    const panel = await this._open(place.path);
    if (!panel) {
      return;
    }
    await panel.revealed;
    const { content } = panel;
    const byId = content.widgets.findIndex(
      cell => !!place.cell_id && cell.model.id === place.cell_id
    );
    const index = byId >= 0 ? byId : place.cell;
    if (typeof index !== 'number' || index >= content.widgets.length) {
      return;
    }
    content.activeCellIndex = index;
    content.deselectAll();
    await content.scrollToItem(index, 'smart');
    content.activate();
    if (place.surface === 'source') {
      await content.widgets[index].ready;
      content.mode = 'edit';
      select(content.widgets[index].editor, place);
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private async _open(path: string): Promise<NotebookPanel | null> {
    const open = this._tracker?.find(
      p => this._contents.localPath(p.context.path) === path
    );
    if (open) {
      await this._commands.execute('docmanager:open', {
        path: open.context.path
      });
      return open;
    }
    if (!this._tracker || !this._commands.hasCommand('docmanager:open')) {
      return null;
    }
    const widget = (await this._commands.execute('docmanager:open', {
      path
    })) as NotebookPanel | undefined;
    await widget?.context.ready;
    return widget && this._tracker.has(widget) ? widget : null;
  }

  private _watch(_: INotebookTracker, panel: NotebookPanel): void {
    panel.sessionContext.kernelChanged.connect(this._emit, this);
    panel.sessionContext.sessionChanged.connect(this._emit, this);
    panel.title.changed.connect(this._emit, this);
    this._emit();
  }

  private _emit(): void {
    this._changed.emit();
  }

  private _tracker: INotebookTracker | null;
  private _contents: Contents.IManager;
  private _commands: CommandRegistry;
  private _changed = new Signal<this, void>(this);
  private _isDisposed = false;
}

/** What a notebook says of itself, in `qsec.data_class` of its metadata. */
function classOf(panel: NotebookPanel): string | null {
  const own = panel.content.model?.getMetadata('qsec') as
    { data_class?: unknown } | undefined;
  return typeof own?.data_class === 'string' ? own.data_class : null;
}

/** Select a place, so that it is what the user sees next. */
function select(editor: CodeEditor.IEditor | null, place: IPlace): void {
  const { line = 1, column = 1, end_column: end = 0 } = place;
  if (!editor || line > editor.lineCount) {
    return;
  }
  const at = Math.max(0, line - 1);
  const length = editor.getLine(at)?.length ?? 0;
  const from = Math.min(length, Math.max(0, column - 1));
  const to = end > column ? Math.min(length, end - 1) : from;
  editor.setSelection({
    start: { line: at, column: from },
    end: { line: at, column: to }
  });
  editor.revealPosition({ line: at, column: from });
}
