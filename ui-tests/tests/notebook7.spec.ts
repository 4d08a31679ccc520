import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';

import { picture, test } from './fixtures';
import { writeNotebook } from './notebook';

const NAME = 'classic.ipynb';

/** Errors of this extension; Notebook 7 has one of its own at each load. */
function ownErrors(page: Page): string[] {
  const errors: string[] = [];
  const note = (text: string) => {
    if (/qsec/i.test(text)) {
      errors.push(text);
    }
  };
  page.on('pageerror', error => note(error.stack ?? error.message));
  page.on('console', message => {
    if (message.type() === 'error') {
      note(`${message.text()} ${message.location().url}`);
    }
  });
  return errors;
}

test('the panel works in Notebook 7', async ({ plain, jupyter }) => {
  const errors = ownErrors(plain);
  writeNotebook(jupyter.root, NAME);
  await plain.goto(`/notebooks/${NAME}`);
  await plain.locator('.jp-Notebook').waitFor();
  const entry = plain.getByRole('menuitem', { name: 'Show Quantum Security' });
  await expect(async () => {
    // A menu that is opened while the page still loads closes again.
    await plain.keyboard.press('Escape');
    await plain.getByText('View', { exact: true }).first().click();
    await entry.click({ timeout: 2000 });
  }).toPass();

  const panel = plain.locator('#qsec-panel');
  await expect(panel).toBeVisible();
  await expect(panel).toContainText('Sandbox');
  await expect(panel.getByLabel('Identity and vault')).toBeVisible();

  const request = plain.getByRole('button', { name: /access to Sandbox/ });
  await request.click();
  const form = plain.getByRole('form', { name: /Sandbox/ });
  await form.getByLabel('Reason').fill('classic notebook');
  const submit = form.getByRole('button', { name: 'Request access' });
  await expect(submit).toBeEnabled({ timeout: 60_000 });
  await submit.click();
  await expect(panel.getByRole('timer')).toHaveCount(1);
  await picture(plain, 'notebook7', panel);
  expect(errors).toEqual([]);
});

test('the file list of Notebook 7 loads without an error of ours', async ({
  plain
}) => {
  const errors = ownErrors(plain);
  await plain.goto('/tree');
  await plain.locator('.jp-DirListing-content').waitFor();
  await plain.waitForTimeout(1000);
  expect(errors).toEqual([]);
});
