import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  CodeMirrorEditor,
  EditorExtensionRegistry,
  IEditorExtensionRegistry
} from '@jupyterlab/codemirror';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { QsecApi } from './api';
import { addCommands } from './commands';
import { findingMarks, openCardAtCursor } from './editor/marks';
import { OutputMarks } from './editor/outputMarks';
import { FindingsModel } from './findings/model';
import { CommandIDs, PLUGIN_ID } from './ids';
import { QsecModel } from './model';
import { Notebooks } from './notebooks';
import { Notifier } from './notifications';
import { QsecPanel } from './panel/panel';
import { SaveWatcher } from './saveWatcher';
import { QsecSettings } from './settings';
import { StatusItem } from './status';
import { addShareCommand } from './share/command';
import { askForDesktop, Toasts } from './toasts';
import { IQsecModel, ISaveWatcher } from './tokens';

/** Names the language files and the settings follow the package. */
const DOMAIN = 'qsec_jupyter';

const settings = new QsecSettings();

/** Follows the server; everything else in this page reads from it. */
const model: JupyterFrontEndPlugin<IQsecModel> = {
  id: PLUGIN_ID,
  description: 'Follows identity, grants, runs and findings on the server.',
  autoStart: true,
  provides: IQsecModel,
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const qsec = new QsecModel({
      api: new QsecApi(app.serviceManager.serverSettings)
    });
    settings.changed.connect(() => {
      const { notifyDesktop, pollWait } = settings.now;
      qsec.wait = pollWait;
      qsec.followsHidden = notifyDesktop;
      if (notifyDesktop) {
        void askForDesktop();
      }
    });
    if (registry) {
      const trans = (translator ?? nullTranslator).load(DOMAIN);
      settings.follow(registry, trans).catch(() => {
        console.warn('qsec-jupyter: the settings stay at their defaults');
      });
    }
    qsec.start();
    return qsec;
  }
};

/** The sidebar, its commands and the notifications. */
const panel: JupyterFrontEndPlugin<void> = {
  id: 'qsec-jupyter:panel',
  description: 'Shows the sidebar and adds its commands.',
  autoStart: true,
  requires: [IQsecModel],
  optional: [
    ISaveWatcher,
    INotebookTracker,
    ILayoutRestorer,
    ICommandPalette,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    qsec: IQsecModel,
    saves: SaveWatcher | null,
    tracker: INotebookTracker | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const notebooks = new Notebooks(
      tracker,
      app.serviceManager.contents,
      app.commands
    );
    const api = new QsecApi(app.serviceManager.serverSettings);
    const widget = new QsecPanel({
      model: qsec,
      notebooks,
      api,
      findings: new FindingsModel(api, qsec, saves ?? { find: () => null }),
      trans,
      settings
    });
    addCommands(app, widget, qsec, trans, palette);
    app.shell.add(widget, 'right', { rank: 650, type: 'Quantum Security' });
    restorer?.add(widget, widget.id);
    const openPanel = () => void app.commands.execute(CommandIDs.openPanel);
    const toasts = new Toasts(() => settings.now.notifyDesktop);
    new Notifier({ model: qsec, settings, trans, openPanel, toasts });
  }
};

/** The nearest expiry in the status bar; Notebook 7 has none. */
const status: JupyterFrontEndPlugin<void> = {
  id: 'qsec-jupyter:status',
  description: 'Shows the nearest expiry in the status bar.',
  autoStart: true,
  requires: [IQsecModel],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    qsec: IQsecModel,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    statusBar?.registerStatusItem('qsec-jupyter:status', {
      item: new StatusItem({
        model: qsec,
        trans: (translator ?? nullTranslator).load(DOMAIN),
        settings,
        open: () => void app.commands.execute(CommandIDs.openPanel)
      }),
      align: 'left',
      rank: 20
    });
  }
};

/** Brings an open notebook in step with what its save wrote. */
const save: JupyterFrontEndPlugin<SaveWatcher> = {
  id: 'qsec-jupyter:save',
  description: 'Offers what to do about secrets that a save found.',
  autoStart: true,
  provides: ISaveWatcher,
  requires: [IQsecModel, INotebookTracker],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    qsec: IQsecModel,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const { contents, serverSettings } = app.serviceManager;
    return new SaveWatcher({
      tracker,
      contents,
      api: new QsecApi(serverSettings),
      trans: (translator ?? nullTranslator).load(DOMAIN),
      mayKeep: name => qsec.state?.data_classes.rules[name]?.keep ?? true
    });
  }
};

/** Marks what a save found, in the text and beside the outputs. */
const marks: JupyterFrontEndPlugin<void> = {
  id: 'qsec-jupyter:marks',
  description: 'Marks findings in the cells and beside their outputs.',
  autoStart: true,
  requires: [ISaveWatcher, INotebookTracker, IEditorExtensionRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    watcher: SaveWatcher,
    tracker: INotebookTracker,
    extensions: IEditorExtensionRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    extensions.addExtension({
      name: 'qsec-jupyter:findings',
      factory: ({ model }) =>
        EditorExtensionRegistry.createImmutableExtension(
          findingMarks(model.sharedModel, watcher, trans)
        )
    });
    const open = () => void app.commands.execute(CommandIDs.findings);
    new OutputMarks(watcher, trans, open);
    app.commands.addCommand(CommandIDs.showFinding, {
      label: trans.__('Show the Finding at the Cursor'),
      isEnabled: () => tracker.activeCell !== null,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        const editor = tracker.activeCell?.editor;
        if (editor instanceof CodeMirrorEditor) {
          openCardAtCursor(editor.editor);
        }
      }
    });
  }
};

/** Makes copies that may be given away. */
const share: JupyterFrontEndPlugin<void> = {
  id: 'qsec-jupyter:share',
  description: 'Makes copies of notebooks that may be given away.',
  autoStart: true,
  requires: [ISaveWatcher, INotebookTracker],
  optional: [IFileBrowserFactory, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    watcher: SaveWatcher,
    tracker: INotebookTracker,
    browsers: IFileBrowserFactory | null,
    translator: ITranslator | null
  ) => {
    addShareCommand({
      app,
      watcher,
      tracker,
      browsers,
      api: new QsecApi(app.serviceManager.serverSettings),
      trans: (translator ?? nullTranslator).load(DOMAIN)
    });
  }
};

export { IQsecModel } from './tokens';

export default [model, panel, status, save, marks, share];
