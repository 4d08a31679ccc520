import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { GrantVerb } from './api';
import type { IGrant } from './contract';
import { asDuration, extensionOf, spell } from './countdown';
import { shieldIcon } from './icons';
import { CommandIDs } from './ids';
import type { QsecPanel, TabName } from './panel/panel';
import { Problem } from './problem';
import { sayProblem } from './serverTexts';
import type { IQsecModel } from './tokens';

/** Add the commands, and list them in the palette when there is one. */
export function addCommands(
  app: JupyterFrontEnd,
  panel: QsecPanel,
  model: IQsecModel,
  trans: TranslationBundle,
  palette: ICommandPalette | null
): void {
  const { commands } = app;
  commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('Show Quantum Security'),
    caption: trans.__('Identity, grants, approvals, runs and findings'),
    icon: args => (args.isPalette ? undefined : shieldIcon),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => app.shell.activateById(panel.id)
  });
  commands.addCommand(CommandIDs.request, {
    label: trans.__('Request Access to a Target…'),
    isEnabled: () => (model.state?.targets.length ?? 0) > 0,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          target: {
            type: 'string',
            description: trans.__('Name of the target; the first one if absent')
          }
        }
      }
    },
    execute: args => {
      app.shell.activateById(panel.id);
      panel.openRequest(args.target as string | undefined);
    }
  });
  addTab(app, panel, CommandIDs.runs, 'runs', trans.__('Show Recorded Runs'));
  addTab(
    app,
    panel,
    CommandIDs.findings,
    'findings',
    trans.__('Show Findings')
  );
  addTab(
    app,
    panel,
    CommandIDs.activity,
    'activity',
    trans.__('Show What Happened')
  );
  commands.addCommand(CommandIDs.settings, {
    label: trans.__('Quantum Security Settings'),
    isVisible: () => commands.hasCommand('settingeditor:open'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () =>
      commands.execute('settingeditor:open', {
        query: trans.__('Quantum Security')
      })
  });
  addDecision(app, model, trans, CommandIDs.approve, 'approve');
  addDecision(app, model, trans, CommandIDs.deny, 'deny');
  addDecision(app, model, trans, CommandIDs.handBack, 'revoke');
  addExtension(app, model, trans);

  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({
      command,
      category: trans.__('Quantum Security'),
      args: { isPalette: true }
    });
  }
  model.changed.connect(() => {
    for (const command of Object.values(CommandIDs)) {
      if (commands.hasCommand(command)) {
        commands.notifyCommandChanged(command);
      }
    }
  });
}

function addTab(
  app: JupyterFrontEnd,
  panel: QsecPanel,
  command: string,
  tab: TabName,
  label: string
): void {
  app.commands.addCommand(command, {
    label,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      panel.openTab(tab);
      app.shell.activateById(panel.id);
    }
  });
}

function addExtension(
  app: JupyterFrontEnd,
  model: IQsecModel,
  trans: TranslationBundle
): void {
  const label = trans.__('Extend a Grant…');
  const candidates = (): IGrant[] => {
    const { state } = model;
    return state?.grants.filter(one => extensionOf(one, state) > 0) ?? [];
  };
  app.commands.addCommand(CommandIDs.extend, {
    label,
    isEnabled: () => candidates().length > 0,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      const id = await pick(candidates(), label, trans);
      const grant = candidates().find(one => one.id === id);
      if (grant && model.state) {
        const more = asDuration(extensionOf(grant, model.state));
        await orTell(() => model.extend(grant.id, more), trans);
      }
    }
  });
}

/** Do it, and show a refusal in a dialog: a command has no other place for it. */
async function orTell(
  work: () => Promise<unknown>,
  trans: TranslationBundle
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { title, detail, remedy } = sayProblem(Problem.from(error), trans);
    await showErrorMessage(title, [detail, remedy].join('\n').trim());
  }
}

function addDecision(
  app: JupyterFrontEnd,
  model: IQsecModel,
  trans: TranslationBundle,
  command: string,
  verb: GrantVerb
): void {
  const label = {
    approve: trans.__('Approve a Request…'),
    deny: trans.__('Deny a Request…'),
    revoke: trans.__('Hand a Grant Back…'),
    cancel: trans.__('Withdraw a Request…')
  }[verb];
  const candidates = (): IGrant[] =>
    verb === 'revoke'
      ? (model.state?.grants ?? []).filter(g => g.state === 'active')
      : (model.state?.approvals ?? []);
  app.commands.addCommand(command, {
    label,
    isEnabled: () => candidates().length > 0,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          id: {
            type: 'string',
            description: trans.__('Id of the grant; asked for if absent')
          },
          comment: { type: 'string' }
        }
      }
    },
    execute: async args => {
      const id =
        (args.id as string | undefined) ??
        (await pick(candidates(), label, trans));
      if (id) {
        const comment = args.comment as string | undefined;
        await orTell(() => model.act(id, verb, comment), trans);
      }
    }
  });
}

/** Ask which one; a single candidate is asked for, too, because a decision is final. */
async function pick(
  grants: IGrant[],
  title: string,
  trans: TranslationBundle
): Promise<string | null> {
  const items = grants.map(
    (grant, index) =>
      `${index + 1}. ${trans.__('%1 for %2: %3', grant.target, spell(grant.duration), grant.reason)}`
  );
  const choice = await InputDialog.getItem({ title, items });
  if (!choice.button.accept || !choice.value) {
    return null;
  }
  return grants[items.indexOf(choice.value)]?.id ?? null;
}
