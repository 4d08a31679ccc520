import { expect } from '@playwright/test';
import type { Page } from '@playwright/test';

import { picture, test } from './fixtures';
import { writeNotebook } from './notebook';

const NAME = 'classic.ipynb';

/** Galata's page knows JupyterLab only; this is a plain one. */
const notebook7 = test.extend<{ plain: Page }>({
  plain: async ({ browser, jupyter }, use) => {
    const context = await browser.newContext({ baseURL: jupyter.url });
    await use(await context.newPage());
    await context.close();
  }
});

notebook7('the panel works in Notebook 7', async ({ plain, jupyter }) => {
  const errors: string[] = [];
  plain.on('pageerror', error => errors.push(error.message));
  writeNotebook(jupyter.root, NAME);
  await plain.goto(`/notebooks/${NAME}`);
  await plain.locator('.jp-Notebook').waitFor();
  await plain.getByText('View', { exact: true }).first().click();
  await plain.getByRole('menuitem', { name: 'Show Quantum Security' }).click();

  const panel = plain.locator('#qsec-panel');
  await expect(panel).toBeVisible();
  await expect(panel).toContainText('Sandbox');
  await expect(panel.getByLabel('Identity and vault')).toBeVisible();

  await plain
    .getByRole('button', { name: /Request access to Sandbox/ })
    .click();
  const form = plain.getByRole('form', { name: /Sandbox/ });
  await form.getByLabel('Reason').fill('classic notebook');
  const submit = form.getByRole('button', { name: 'Request access' });
  await expect(submit).toBeEnabled({ timeout: 60_000 });
  await submit.click();
  await expect(panel.getByRole('timer')).toHaveCount(1);
  await picture(plain, 'notebook7');
  expect(errors).toEqual([]);
});

notebook7(
  'the file list of Notebook 7 loads without an error',
  async ({ plain }) => {
    const errors: string[] = [];
    plain.on('pageerror', error => errors.push(error.message));
    plain.on('console', message => {
      if (message.type() === 'error' && message.text().includes('qsec')) {
        errors.push(message.text());
      }
    });
    await plain.goto('/tree');
    await plain.locator('.jp-DirListing-content').waitFor();
    await plain.waitForTimeout(1000);
    expect(errors).toEqual([]);
  }
);
