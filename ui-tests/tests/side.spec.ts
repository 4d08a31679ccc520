import { expect } from '@playwright/test';

import { test } from './fixtures';
import { writeNotebook } from './notebook';

const NAME = 'side.ipynb';

test("the panel stands on the side that JupyterLab's own setting says", async ({
  plain: page,
  jupyter
}) => {
  writeNotebook(jupyter.root, NAME);
  await page.goto(`/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  await page.locator('.jp-Qsec-statusButton').click();
  await expect(page.locator('#jp-right-stack #qsec-panel')).toBeVisible();

  await page.locator('[data-id="qsec-panel"]').click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Switch Sidebar Side/ }).click();
  await expect(page.locator('#jp-left-stack #qsec-panel')).toBeAttached();
  await page.locator('.jp-Qsec-statusButton').click();
  await expect(page.locator('#jp-left-stack #qsec-panel')).toBeVisible();
});
