import AxeBuilder from '@axe-core/playwright';
import { expect, test as galata } from '@jupyterlab/galata';
import type { Locator, Page } from '@playwright/test';
import { join, resolve } from 'path';

import { Jupyter } from './jupyter';

const README_IMAGES = resolve(__dirname, '..', '..', 'docs', 'images');

/** Notebook and panel, without menus, file browser and what is empty below: pictures stay small. */
const BESIDE = { x: 284, y: 28, width: 1082, height: 640 };

/** Galata's test on a server of its own; settings, workspace and sessions are real. */
export const test = galata.extend<{
  plain: Page;
  jupyter: Jupyter;
  sealed: boolean;
}>({
  sealed: [false, { option: true }],
  jupyter: [
    async ({ sealed }, use) => {
      const jupyter = new Jupyter('', sealed);
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

/**
 * Write a picture for the documentation, when asked for one: a test run leaves the tree as it is.
 *
 * `part` is what is shown of the page; by default the notebook and the panel beside it.
 */
export async function picture(
  page: Page,
  name: string,
  part?: Locator
): Promise<void> {
  if (process.env.QSEC_SCREENSHOTS === '1') {
    const path = join(README_IMAGES, `${name}.png`);
    const animations = 'disabled';
    await (part
      ? part.screenshot({ path, animations })
      : page.screenshot({ path, animations, clip: BESIDE }));
  }
}

/** What axe finds wrong in a part of the page, readable in a failed test. */
export async function violations(
  page: Page,
  ...parts: string[]
): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  parts.forEach(part => axe.include(part));
  const found = await axe.analyze();
  return found.violations.map(
    one => `${one.id}: ${one.nodes.map(n => n.html + n.failureSummary)}`
  );
}

/** Switch the theme, and wait until its styles are there. */
export async function useTheme(
  page: Page,
  name: 'Light' | 'Dark'
): Promise<void> {
  await page.evaluate(async theme => {
    const { commands } = window.jupyterapp;
    await commands.execute('apputils:change-theme', { theme });
  }, `JupyterLab ${name}`);
  await expect(page.locator('body')).toHaveAttribute(
    'data-jp-theme-light',
    `${name === 'Light'}`
  );
  await page.waitForTimeout(500);
}
