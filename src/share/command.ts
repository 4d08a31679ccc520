import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type * as nbformat from '@jupyterlab/nbformat';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IQsecApi } from '../api';
import { shieldIcon } from '../icons';
import { CommandIDs } from '../ids';
import { Problem } from '../problem';
import type { SaveWatcher } from '../saveWatcher';
import { sayProblem, sayServer } from '../serverTexts';
import { askToShare } from './dialog';
import { contentsOf } from './preview';
import { showShared } from './result';

export interface IShareOptions {
  app: JupyterFrontEnd;
  api: Pick<IQsecApi, 'share'>;
  tracker: INotebookTracker;
  watcher: SaveWatcher;
  browsers: IFileBrowserFactory | null;
  trans: TranslationBundle;
}

/** Add the command that makes a copy of a notebook that may be given away. */
export function addShareCommand(options: IShareOptions): void {
  const { app, trans } = options;
  app.commands.addCommand(CommandIDs.share, {
    label: trans.__('Share Safely…'),
    caption: trans.__('Make a copy without secrets that may be given away'),
    icon: args => (args.isPalette || args.isMenu ? undefined : shieldIcon),
    isEnabled: args => pathOf(options, args) !== null,
    isVisible: args => !args.browser || pathOf(options, args) !== null,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: trans.__('The notebook; the one in front if absent')
          },
          browser: {
            type: 'boolean',
            description: trans.__('Take the one chosen in the file browser')
          }
        }
      }
    },
    execute: async args => {
      const path = pathOf(options, args);
      if (path) {
        await share(path, options);
      }
    }
  });
  options.tracker.currentChanged.connect(() =>
    app.commands.notifyCommandChanged(CommandIDs.share)
  );
}

/** The notebook that is meant, as the server names it, or null. */
function pathOf(
  options: IShareOptions,
  args: { path?: unknown; browser?: unknown }
): string | null {
  const { contents } = options.app.serviceManager;
  if (typeof args.path === 'string') {
    return args.path;
  }
  if (args.browser) {
    const items = [
      ...(options.browsers?.tracker.currentWidget?.selectedItems() ?? [])
    ];
    return items.length === 1 && items[0].type === 'notebook'
      ? contents.localPath(items[0].path)
      : null;
  }
  const panel = options.tracker.currentWidget;
  return panel ? contents.localPath(panel.context.path) : null;
}

async function share(path: string, options: IShareOptions): Promise<void> {
  const { api, app, trans } = options;
  try {
    if (!(await saved(path, options))) {
      return;
    }
    const { contents } = app.serviceManager;
    const file = await contents.get(path, { content: true });
    const request = await askToShare(
      {
        path,
        contents: contentsOf(file.content as nbformat.INotebookContent),
        secrets: (options.watcher.find(path)?.findings ?? [])
          .filter(finding => finding.action !== 'redacted')
          .map(finding => sayServer(finding.title, trans))
      },
      trans
    );
    if (!request) {
      return;
    }
    const shared = await api.share(request);
    await showShared(
      shared,
      (target, factory) =>
        void app.commands.execute('docmanager:open', {
          path: target,
          ...(factory ? { factory } : {})
        }),
      trans
    );
  } catch (error) {
    const { title, detail, remedy } = sayProblem(Problem.from(error), trans);
    await showErrorMessage(title, [detail, remedy].filter(Boolean).join(' '));
  }
}

/** Save an open notebook first: what lies on disk is what is shared. False when it cannot be saved. */
async function saved(path: string, options: IShareOptions): Promise<boolean> {
  const { app, tracker, trans } = options;
  const { contents } = app.serviceManager;
  const panel = tracker.find(p => contents.localPath(p.context.path) === path);
  if (!panel?.context.model.dirty) {
    return true;
  }
  try {
    await panel.context.save();
  } catch {
    // Jupyter has said why in a dialog of its own.
  }
  if (panel.context.model.dirty && options.watcher.find(path)?.isBlocked) {
    await showErrorMessage(
      trans.__('%1 is not shared', PathExt.basename(path)),
      trans.__('It could not be saved. Settle what was found in it first.')
    );
    return false;
  }
  return true;
}
