import { expect, test as galata } from '@jupyterlab/galata';
import type { Page } from '@playwright/test';
import { join, resolve } from 'path';

import { Jupyter } from './jupyter';

const README_IMAGES = resolve(__dirname, '..', '..', 'docs', 'images');

/** Galata's test on a server of its own; settings, workspace and sessions are real. */
export const test = galata.extend<{ plain: Page; jupyter: Jupyter }>({
  jupyter: [
    // eslint-disable-next-line no-empty-pattern -- Playwright insists on a pattern here
    async ({}, use) => {
      const jupyter = new Jupyter();
      await jupyter.start();
      await use(jupyter);
      await jupyter.clean();
    },
    { timeout: 120_000 }
  ],
  // A page without Galata, which knows JupyterLab only and relays every request for a kernel by itself.
  plain: async ({ browser, jupyter }, use) => {
    const context = await browser.newContext({
      baseURL: jupyter.url,
      viewport: { width: 1366, height: 900 }
    });
    await use(await context.newPage());
    await context.close();
  },
  baseURL: async ({ jupyter }, use) => use(jupyter.url),
  // eslint-disable-next-line no-empty-pattern -- as above
  tmpPath: async ({}, use) => use(''),
  // Galata waits for the launcher; these tests open a notebook.
  waitForApplication: async ({ baseURL }, use) =>
    use(async page => {
      await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
      await page.locator('.jp-NotebookPanel').first().waitFor();
    })
});

/** Close what notifications are on screen. */
export async function closeNotifications(page: Page): Promise<void> {
  const hide = page.getByTitle('Hide notification');
  await expect(async () => {
    if (await hide.count()) {
      await hide.first().click({ timeout: 1000 }); // it may go by itself meanwhile
    }
    await expect(hide).toHaveCount(0, { timeout: 800 }); // it slides out
  }).toPass();
}

/** Write a picture for the README, when asked for one: a test run leaves the tree as it is. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.QSEC_SCREENSHOTS === '1') {
    await page.screenshot({ path: join(README_IMAGES, `${name}.png`) });
  }
}
