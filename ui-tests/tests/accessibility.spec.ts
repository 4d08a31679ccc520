import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';

import { test } from './fixtures';
import { Notebook, writeNotebook } from './notebook';

const NAME = 'accessible.ipynb';

test('axe finds nothing in the panel, in both themes and every state', async ({
  plain: page,
  jupyter
}) => {
  writeNotebook(jupyter.root, NAME);
  await page.goto(`/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  await page.locator('.jp-Qsec-statusButton').click();
  const panel = page.locator('#qsec-panel');

  await notebook.run(
    'import qsec_jupyter as qsec\n' +
      'qsec.request("sandbox", reason="accessibility", duration="4m")\n' +
      'qsec.request("pilot", reason="accessibility", ticket="QC-1")'
  );
  await expect(panel).toContainText('Waiting for your decision');
  await page.getByRole('button', { name: /access to Pilot/ }).click();
  const form = page.getByRole('form', { name: /Pilot/ });
  await form.getByLabel('Reason').fill('once more');
  await form.getByLabel('Ticket').fill('none');
  await form.getByRole('button', { name: 'Request access' }).click();
  await expect(form.getByRole('alert')).toBeVisible();
  await panel.locator('.jp-Qsec-healthLine').click();

  for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
    await page.evaluate(async name => {
      const { commands } = window.jupyterapp;
      await commands.execute('apputils:change-theme', { theme: name });
    }, theme);
    await page.waitForTimeout(1000);
    const found = await new AxeBuilder({ page })
      .include('#qsec-panel')
      .include('.jp-Qsec-statusButton')
      .analyze();
    const told = found.violations.map(
      v => `${theme}: ${v.id}: ${v.nodes.map(n => n.html + n.failureSummary)}`
    );
    expect(told).toEqual([]);
  }
});
