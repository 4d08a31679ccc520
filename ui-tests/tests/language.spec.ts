import { expect } from '@playwright/test';
import { randomBytes } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';

import { closeNotifications, picture, test, violations } from './fixtures';
import { Notebook, oldCell, writeNotebook } from './notebook';

const NAME = 'sprache.ipynb';
const CATALOGUE = join(
  __dirname,
  '../../qsec_jupyter/locale/de_DE/LC_MESSAGES/qsec_jupyter.json'
);

/** English texts that are something else in German, long enough not to be part of another word. */
function english(): string[] {
  const catalogue = JSON.parse(readFileSync(CATALOGUE, 'utf8'));
  return Object.entries(catalogue)
    .filter(
      ([key, forms]) =>
        key.length > 8 &&
        !key.includes('%') &&
        !(forms as string[]).some(form => form.includes(key))
    )
    .map(([key]) => key);
}

test('all of it speaks German when JupyterLab does, and follows its settings', async ({
  plain: page,
  jupyter
}) => {
  test.slow(); // a restart, three tabs read with axe, and a server that goes away
  jupyter.set('@jupyterlab/translation-extension', 'plugin', {
    locale: 'de_DE'
  });
  await jupyter.restart();
  const token = randomBytes(33).toString('base64url');
  writeNotebook(jupyter.root, NAME, [
    oldCell('alt', 'konto()', `token = "${token}"\n`)
  ]);
  await page.goto(`${jupyter.url}/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  await page.locator('.jp-Qsec-statusButton').click();
  const panel = page.locator('#qsec-panel');
  const button = (name: RegExp) => panel.getByRole('button', { name });

  await test.step('a request in German', async () => {
    await expect(panel.getByRole('tab').first()).toHaveText('Übersicht');
    await button(/Zugang zu Pilot backend anfragen/).click();
    const form = panel.getByRole('form', { name: /Pilot/ });
    await form.getByLabel('Grund').fill('Vergleich mit der Sandbox');
    await form.getByLabel('Ticket').fill('keines');
    await expect(form).toContainText('Ein Ticket sieht aus wie QC-');
    await form.getByLabel('Ticket').fill('QC-7');
    await form.getByRole('button', { name: 'Zugang anfragen' }).click();
    await expect(panel).toContainText('Wartet auf Genehmigung');
    await button(/Pilot backend genehmigen/).click();
    await expect(panel.getByRole('timer')).toHaveAccessibleName(
      /Pilot backend: noch/
    );
  });

  await test.step('what the server says of a finding and of itself in German', async () => {
    await notebook.write('print(1)');
    await notebook.save();
    await closeNotifications(page);
    await panel.getByRole('tab', { name: 'Funde' }).click();
    const findings = panel.getByRole('list').first();
    await expect(findings).toContainText(/Schlüssel|Wert|Text/);
    // By keyboard: a notification about the save may lie over it.
    await panel.locator('.jp-Qsec-healthLine').press('Enter');
    await expect(panel.getByRole('group', { name: 'Prüfungen' })).toContainText(
      'Einträge'
    );
    await panel.locator('.jp-Qsec-healthLine').press('Enter');
  });

  await test.step('no tab holds a text in English', async () => {
    for (const tab of ['Übersicht', 'Läufe', 'Funde', 'Verlauf']) {
      await panel.getByRole('tab', { name: tab }).click();
      await page.waitForTimeout(500);
      const shown = await panel.innerText();
      expect(
        english().filter(text => shown.includes(text)),
        tab
      ).toEqual([]);
      expect(await violations(page, '#qsec-panel')).toEqual([]);
    }
    await panel.getByRole('tab', { name: 'Übersicht' }).click();
    await closeNotifications(page);
    await picture(page, 'german', panel);
  });

  await test.step("JupyterLab's settings editor speaks German, too, and the panel follows it", async () => {
    await page.evaluate(async () => {
      await window.jupyterapp.commands.execute('qsec:settings');
    });
    const editor = page.locator('#setting-editor, .jp-SettingsPanel').first();
    await expect(editor).toContainText('Warnungen vor dem Ablauf');
    await editor.getByLabel('Kompakte Ansicht').check();
    await expect(panel).toHaveClass(/jp-mod-compact/);
    await picture(page, 'settings');
  });

  await test.step('a server that is away is said in German', async () => {
    await jupyter.stop();
    await expect(panel.getByRole('alert').first()).toContainText(
      'Der Jupyter-Server antwortet nicht'
    );
    await expect(panel.getByRole('alert').first()).toContainText(
      'das Panel versucht es von selbst wieder'
    );
  });
});
