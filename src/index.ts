import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { QsecApi } from './api';
import { addCommands } from './commands';
import { CommandIDs, PLUGIN_ID } from './ids';
import { QsecModel } from './model';
import { Notebooks } from './notebooks';
import { Notifier } from './notifications';
import { QsecPanel } from './panel/panel';
import { SaveWatcher } from './save';
import { QsecSettings } from './settings';
import { StatusItem } from './status';
import { IQsecModel } from './tokens';

/** Names the language files and the settings follow the package. */
const DOMAIN = 'qsec_jupyter';

const settings = new QsecSettings();

/** Follows the server; everything else in this page reads from it. */
const model: JupyterFrontEndPlugin<IQsecModel> = {
  id: PLUGIN_ID,
  description: 'Follows identity, grants, runs and findings on the server.',
  autoStart: true,
  provides: IQsecModel,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const qsec = new QsecModel({
      api: new QsecApi(app.serviceManager.serverSettings)
    });
    const applied = () => {
      qsec.wait = settings.pollWait;
    };
    if (registry) {
      settings.follow(registry, applied).catch(() => {
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
  optional: [INotebookTracker, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    qsec: IQsecModel,
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
    const warnMinutes = () => settings.expiryWarningMinutes;
    const widget = new QsecPanel({
      model: qsec,
      notebooks,
      runs: new QsecApi(app.serviceManager.serverSettings),
      trans,
      warnMinutes
    });
    addCommands(app, widget, qsec, trans, palette);
    app.shell.add(widget, 'right', { rank: 650, type: 'Quantum Security' });
    restorer?.add(widget, widget.id);
    const openPanel = () => void app.commands.execute(CommandIDs.openPanel);
    new Notifier({ model: qsec, settings, trans, openPanel });
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
        warnMinutes: () => settings.expiryWarningMinutes,
        open: () => void app.commands.execute(CommandIDs.openPanel)
      }),
      align: 'left',
      rank: 20
    });
  }
};

/** Brings an open notebook in step with what its save wrote. */
const save: JupyterFrontEndPlugin<void> = {
  id: 'qsec-jupyter:save',
  description: 'Offers what to do about secrets that a save found.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const { contents, serverSettings } = app.serviceManager;
    new SaveWatcher({
      tracker,
      contents,
      api: new QsecApi(serverSettings),
      trans: (translator ?? nullTranslator).load(DOMAIN)
    });
  }
};

export { IQsecModel } from './tokens';

export default [model, panel, status, save];
