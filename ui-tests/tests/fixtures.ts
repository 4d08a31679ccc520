import { test as galata } from '@jupyterlab/galata';
import type { Page } from '@playwright/test';
import { join, resolve } from 'path';

import { Jupyter } from './jupyter';

const README_IMAGES = resolve(__dirname, '..', '..', 'docs', 'images');

/** Galata's test on a server that the worker starts; settings, workspace and sessions are real. */
export const test = galata.extend<object, { jupyter: Jupyter }>({
  jupyter: [
    // eslint-disable-next-line no-empty-pattern -- Playwright insists on a pattern here
    async ({}, use) => {
      const jupyter = new Jupyter();
      await jupyter.start();
      await use(jupyter);
      await jupyter.clean();
    },
    { scope: 'worker', timeout: 120_000 }
  ],
  baseURL: async ({ jupyter }, use) => use(jupyter.url),
  // Galata waits for the launcher; these tests open a notebook.
  waitForApplication: async ({ baseURL }, use) =>
    use(async page => {
      await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
      await page.locator('.jp-NotebookPanel').first().waitFor();
    })
});

test.use({
  autoGoto: false,
  mockConfig: false,
  mockSettings: false,
  mockState: false,
  mockUser: false
});

/** Write a picture for the README, when asked for one: a test run leaves the tree as it is. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.QSEC_SCREENSHOTS === '1') {
    await page.screenshot({ path: join(README_IMAGES, `${name}.png`) });
  }
}
