import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';
import { randomBytes } from 'crypto';
import { existsSync, readFileSync } from 'fs';
import { join } from 'path';

import { closeNotifications, picture, test } from './fixtures';
import type { Jupyter } from './jupyter';
import { Notebook, oldCell, writeNotebook } from './notebook';

const NAME = 'leaky.ipynb';

/** Made up anew at each run, in the form of an IBM Cloud API key. */
const madeUpToken = () => randomBytes(33).toString('base64url');

/** The marked text of the notebook in front. */
const marks = (page: Page) => page.locator('.jp-NotebookPanel .jp-Qsec-mark');

async function open(page: Page, jupyter: Jupyter, cells: object[] = []) {
  writeNotebook(jupyter.root, NAME, cells);
  await page.goto(`/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  return notebook;
}

async function violations(page: Page, ...parts: string[]): Promise<string[]> {
  let axe = new AxeBuilder({ page });
  for (const part of parts) {
    axe = axe.include(part);
  }
  const found = await axe.analyze();
  return found.violations.map(
    v => `${v.id}: ${v.nodes.map(n => n.html + n.failureSummary)}`
  );
}

async function theme(page: Page, name: string): Promise<void> {
  await page.evaluate(async theme => {
    await window.jupyterapp.commands.execute('apputils:change-theme', {
      theme
    });
  }, name);
  await page.waitForTimeout(800);
}

test('a finding is marked in the text, and each way to settle it works', async ({
  plain: page,
  jupyter
}) => {
  const printed = madeUpToken();
  const notebook = await open(page, jupyter, [
    oldCell('old', 'show_account()', `token = "${printed}"\n`)
  ]);
  const panel = page.locator('#qsec-panel');
  const list = panel.getByRole('list', { name: 'Findings' });
  const card = page.locator('.jp-Qsec-card');
  const secret = madeUpToken();
  const cell = await notebook.write(`token = "${secret}"\nprint(1)`);

  await test.step('after a save the secret is underlined, and its output marked', async () => {
    await notebook.save();
    await expect(marks(page)).toHaveText(secret);
    const mark = page.locator('.jp-Qsec-outputMark');
    await expect(mark).toHaveAttribute('aria-label', /found in this output/);
    await closeNotifications(page);
    await mark.click();
    await expect(panel.getByRole('tab', { name: 'Findings' })).toHaveAttribute(
      'aria-selected',
      'true'
    );
    await expect(list.getByRole('listitem')).toHaveCount(2);
  });

  await test.step('the card says what it is and what can be done', async () => {
    await marks(page).hover();
    await expect(card).toContainText('Masked in the file');
    await expect(card.getByRole('button', { name: 'Redact' })).toBeVisible();
    expect(await violations(page, '.jp-Qsec-card', '#qsec-panel')).toEqual([]);
  });

  await test.step('the mark moves with the text', async () => {
    await page.evaluate(at => {
      const front = window.jupyterapp.shell.currentWidget as unknown as {
        context: {
          model: {
            sharedModel: {
              cells: Array<{
                updateSource(a: number, b: number, text: string): void;
              }>;
            };
          };
        };
      };
      const { cells } = front.context.model.sharedModel;
      cells[at].updateSource(0, 0, '# a line above\n');
    }, cell);
    await expect(marks(page)).toHaveText(secret);
  });

  await test.step('a finding leads to its place', async () => {
    await notebook.save();
    await list
      .getByRole('button', { name: new RegExp(`cell ${cell + 1}, line 2`) })
      .click();
    const selected = () =>
      page.evaluate(() => window.getSelection()?.toString() ?? '');
    await expect.poll(selected).toContain(secret);
  });

  await test.step('it is redacted from the keyboard, and that is undone', async () => {
    await page.keyboard.press('Alt+F8');
    await expect(card.getByRole('button').first()).toBeFocused();
    await card.getByRole('button', { name: 'Redact' }).press('Enter');
    await expect.poll(() => notebook.source(cell)).toContain('[redacted:');
    await expect(marks(page)).toHaveCount(0);
    await page
      .locator('.Toastify__toast', { hasText: 'redacted' })
      .getByRole('button', { name: 'Undo' })
      .click();
    await expect.poll(() => notebook.source(cell)).toContain(secret);
    expect(notebook.onDisk()).not.toContain(secret);
  });

  await test.step('findings are kept in bulk with a reason, and taken back', async () => {
    await notebook.save();
    await expect(marks(page)).toHaveText(secret);
    await closeNotifications(page);
    const row = list.getByRole('listitem').filter({ hasText: 'line' });
    await row.getByRole('checkbox').check();
    const bulk = panel.getByRole('group', { name: 'Chosen findings' });
    await picture(page, 'findings');
    await bulk.getByRole('button', { name: /^Keep/ }).click();
    const dialog = page.locator('.jp-Dialog');
    await dialog.getByLabel('Reason').fill('made up for the docs');
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await expect.poll(() => notebook.onDisk()).toContain(secret);
    await expect(row).toContainText('Kept: made up for the docs');
    await panel.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => notebook.onDisk()).not.toContain(secret);
    await expect(row).toContainText('Masked in the file');
  });

  await test.step('search and severity narrow the list', async () => {
    await panel.getByLabel('Search findings').fill('no such rule');
    await expect(panel).toContainText('No finding matches');
    await panel.getByLabel('Search findings').fill('');
    await expect(list.getByRole('listitem')).toHaveCount(2);
  });

  await test.step('what is covered is a click away', async () => {
    await panel.getByRole('button', { name: /What is covered/ }).click();
    await expect(panel).toContainText(`Ways out of ${NAME}`);
    await expect(panel).toContainText('save, save as, autosave');
    await picture(page, 'coverage', panel);
    for (const name of ['JupyterLab Dark', 'JupyterLab Light']) {
      await theme(page, name);
      expect(await violations(page, '#qsec-panel')).toEqual([]);
    }
    await panel.getByRole('button', { name: 'All findings' }).click();
  });

  await test.step('both themes, and a narrow panel', async () => {
    await closeNotifications(page);
    await theme(page, 'JupyterLab Dark');
    await list.getByRole('checkbox').first().check();
    await marks(page).hover();
    await expect(card).toBeVisible();
    expect(await violations(page, '.jp-Qsec-card', '#qsec-panel')).toEqual([]);
    await page.mouse.move(5, 5);
    await theme(page, 'JupyterLab Light');
    await panel.evaluate(node => {
      node.style.minWidth = '0';
      node.style.width = '200px';
      node.style.maxWidth = '200px';
    });
    const overflow = await panel.evaluate(
      node =>
        Array.from(node.querySelectorAll('.jp-Qsec-scroll, .jp-Qsec-tabs'))
          .map(part => part.scrollWidth - part.clientWidth)
          .filter(more => more > 1).length
    );
    expect(overflow).toBe(0);
  });
});

test('a save that its data class blocks loses nothing', async ({
  plain: page,
  jupyter
}) => {
  const notebook = await open(page, jupyter);
  const secret = madeUpToken();
  const cell = await notebook.write(`token = "${secret}"`);
  await page.evaluate(() => {
    const front = window.jupyterapp.shell.currentWidget as unknown as {
      context: {
        model: {
          sharedModel: { setMetadata(name: string, to: unknown): void };
        };
      };
    };
    front.context.model.sharedModel.setMetadata('qsec', {
      data_class: 'restricted'
    });
  });
  const saving = notebook.save().catch(() => undefined);
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toContainText('Nothing was saved');
  await dialog.getByRole('button').last().click();
  await saving;
  const toast = page.locator('.Toastify__toast', { hasText: 'was not saved' });
  await expect(toast).toContainText('Your work is still in this tab');
  expect(await notebook.source(cell)).toContain(secret);
  expect(notebook.onDisk()).not.toContain('token');
  await picture(page, 'blocked');
  await toast.getByRole('button', { name: 'Redact' }).click();
  await expect.poll(() => notebook.onDisk()).toContain('[redacted:');
  expect(notebook.onDisk()).not.toContain(secret);
  await notebook.expectClean();
});

test('a copy is shared safely', async ({ plain: page, jupyter }) => {
  const printed = madeUpToken();
  await open(page, jupyter, [
    oldCell('old', 'show_account()', `token = "${printed}"\n`)
  ]);
  await page
    .locator('.jp-NotebookPanel-toolbar [data-jp-item-name="qsec-share"]')
    .click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toContainText('Left out of the copy');
  await expect(dialog).toContainText('1 output');
  await picture(page, 'share');
  expect(await violations(page, '.jp-Dialog')).toEqual([]);
  await dialog.getByLabel('Outputs').check();
  await expect(dialog).not.toContainText('1 output');
  await dialog.getByRole('button', { name: 'Make the copy' }).click();
  await expect(dialog).toContainText('The copy is ready');
  // Opening it had changed the notebook, so it was saved, and masked, before it was shared.
  await expect(dialog).toContainText('No secret was left to replace');
  await picture(page, 'shared');
  expect(await violations(page, '.jp-Dialog')).toEqual([]);
  const copy = join(jupyter.root, 'leaky-shared.ipynb');
  expect(existsSync(copy)).toBe(true);
  expect(readFileSync(copy, 'utf-8')).not.toContain(printed);
  expect(readFileSync(copy, 'utf-8')).toContain('[redacted:');
  await dialog.getByRole('button', { name: /report|\.md/ }).click();
  await expect(page.locator('.jp-MarkdownViewer')).toBeVisible();
});
test('a cell asks the broker instead of holding a secret', async ({
  plain: page,
  jupyter
}) => {
  const notebook = await open(page, jupyter);
  const secret = madeUpToken();
  const cell = await notebook.write(
    `from qiskit_ibm_runtime import QiskitRuntimeService\nservice = QiskitRuntimeService(token="${secret}")`
  );
  await notebook.save();
  const toast = page.locator('.Toastify__toast', { hasText: 'masked' });
  const replace = toast.getByRole('button', {
    name: 'Replace by a broker call'
  });
  await expect(replace).toBeVisible();
  await expect(marks(page)).toHaveText(secret);
  await page.waitForTimeout(1000); // it slides in
  await picture(page, 'broker');
  await replace.click();
  await expect.poll(() => notebook.source(cell)).toContain('qsec.credential(');
  expect(await notebook.source(cell)).not.toContain(secret);
  await notebook.expectClean();
  expect(notebook.onDisk()).toContain('qsec.credential(');
});
