import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';

import {
  closeNotifications,
  picture,
  test,
  useTheme,
  violations
} from './fixtures';
import { Notebook, oldCell, writeNotebook } from './notebook';

const NAME = 'accessible.ipynb';
const TABS = ['Overview', 'Runs', 'Findings', 'Activity'];

/** Give the panel a width, as a user does who drags its edge. */
async function narrow(page: Page, width: number): Promise<void> {
  const panel = page.locator('#qsec-panel');
  const box = await panel.boundingBox();
  const handle = page
    .locator('#jp-main-split-panel > .lm-SplitPanel-handle:visible')
    .last();
  const edge = await handle.boundingBox();
  if (!box || !edge) {
    throw new Error('the panel is not on screen');
  }
  const y = edge.y + edge.height / 2;
  await page.mouse.move(edge.x + edge.width / 2, y);
  await page.mouse.down();
  await page.mouse.move(edge.x + box.width - width, y, { steps: 5 });
  await page.mouse.up();
}

test.use({ sealed: true }); // a value is pasted

test('every tab holds up: axe, both themes, 200 pixels, keyboard', async ({
  plain: page,
  jupyter
}) => {
  // A grant of a few seconds more than its warning soon shows what a warning looks like.
  jupyter.set('qsec-jupyter', 'plugin', { expiryWarnings: [29, 2] });
  await jupyter.restart();
  writeNotebook(jupyter.root, NAME, [
    oldCell('old', 'show()', `token = "${'ibm'.repeat(2)}"\n`)
  ]);
  await page.goto(`${jupyter.url}/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  const panel = page.locator('#qsec-panel');
  const tab = (name: string) => panel.getByRole('tab', { name });

  await test.step('the panel opens and forms are filled by keyboard alone', async () => {
    await expect(page.locator('.jp-Qsec-statusButton')).toHaveText('No grant');
    await page.keyboard.press('Alt+Shift+KeyR');
    const first = page.getByRole('form', { name: /Sandbox/ });
    await expect(first.getByLabel('Reason')).toBeFocused();
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Escape');
    await expect(
      panel.getByRole('button', { name: /access to Sandbox/ })
    ).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(
      panel.getByRole('button', { name: 'Paste a new value for Sandbox' })
    ).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const form = page.getByRole('form', { name: /Pilot/ });
    await expect(form.getByLabel('Reason')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(form.getByLabel('Reason')).toHaveAccessibleDescription(/Say/);
    await page.keyboard.type('none');
    await expect(form.getByLabel('Ticket')).toHaveAttribute(
      'aria-invalid',
      'true'
    );
    await picture(page, 'form', panel);
  });

  await test.step('what happens elsewhere shows within a second', async () => {
    await notebook.run(
      'import qsec_jupyter as qsec\n' +
        'qsec.request("sandbox", reason="accessibility", duration="29m2s")\n' +
        'qsec.request("pilot", reason="accessibility", ticket="QC-1", wait=False)'
    );
    await expect(panel).toContainText('Waiting for your decision');
    const timer = panel.getByRole('timer');
    await expect(timer).toHaveClass(/jp-mod-low/);
    await expect(
      panel.getByRole('button', { name: 'Extend Sandbox by 1h' })
    ).toHaveText('Extend by 1h');
    const ended = page.evaluate(async () => {
      const { serverSettings } = window.jupyterapp.serviceManager;
      const base = `${serverSettings.baseUrl}qsec/`;
      const { grants } = await (await fetch(`${base}state`)).json();
      const { id } = grants.find(
        (one: { state: string }) => one.state === 'active'
      );
      const text = () => document.querySelector('[role=timer]');
      await fetch(`${base}grants/${id}/revoke`, { method: 'POST', body: '{}' });
      const from = performance.now();
      while (text() && performance.now() - from < 5000) {
        await new Promise(next => setTimeout(next, 10));
      }
      return performance.now() - from;
    });
    expect(await ended).toBeLessThan(1000);
    await notebook.run(
      'qsec.request("sandbox", reason="accessibility", duration="29m2s")'
    );
  });

  for (const theme of ['Light', 'Dark'] as const) {
    for (const name of TABS) {
      await test.step(`axe: ${name}, ${theme}`, async () => {
        await tab(name).click();
        await useTheme(page, theme);
        expect(
          await violations(page, '#qsec-panel', '.jp-Qsec-statusButton')
        ).toEqual([]);
      });
    }
  }
  await tab('Activity').click();
  await closeNotifications(page);
  await picture(page, 'activity-dark', panel);

  await test.step('events are found, read and followed', async () => {
    const rows = panel.getByRole('list', { name: 'Activity' }).locator('> li');
    await panel.getByLabel('Kind').selectOption('grant');
    await expect(rows.first()).toContainText('Access began');
    await expect(rows.first()).toContainText('Sandbox');
    await panel.getByLabel('Target').selectOption('Pilot backend');
    await expect(rows).toHaveCount(1);
    await expect(rows.first()).toContainText('Access asked for');
    await rows.first().locator('summary').click();
    await expect(rows.first()).toContainText('seen by the control plane');
    await panel.getByLabel('Kind').selectOption('lock');
    await panel.getByRole('button', { name: /Clear search/ }).click();
    await expect(rows.first()).toBeVisible();
  });

  await test.step('at 200 pixels nothing is cut off', async () => {
    await closeNotifications(page);
    await narrow(page, 200);
    await useTheme(page, 'Light');
    for (const name of TABS) {
      await tab(name).click();
      const box = await panel.boundingBox();
      expect(Math.round(box?.width ?? 0)).toBeLessThanOrEqual(205);
      const wider = await panel.evaluate(node =>
        [node, ...Array.from(node.querySelectorAll('*'))]
          .filter(
            one =>
              one.scrollWidth > one.clientWidth + 1 &&
              one.clientWidth > 1 &&
              getComputedStyle(one).overflowX !== 'visible'
          )
          .map(one => `${one.className}: ${one.textContent?.slice(0, 40)}`)
      );
      expect(wider, name).toEqual([]);
      expect(await violations(page, '#qsec-panel'), name).toEqual([]);
    }
    await tab('Overview').click();
  });
});
