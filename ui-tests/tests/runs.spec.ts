import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';

import { picture, test } from './fixtures';
import { Notebook, writeNotebook } from './notebook';

const NAME = 'experiment.ipynb';

const RUNS = [
  'from qiskit import QuantumCircuit',
  'from qiskit.primitives import StatevectorSampler',
  'from qiskit_aer import AerSimulator',
  'bell = QuantumCircuit(2)',
  'bell.h(0); bell.cx(0, 1); bell.measure_all()',
  'for shots in (100, 2000):',
  '    AerSimulator().run(bell, shots=shots, seed_simulator=7).result()',
  'StatevectorSampler(seed=1).run([bell], shots=50).result()',
  'print("three runs")'
].join('\n');

test('runs are found, read, cited and compared', async ({
  plain: page,
  jupyter
}) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], {
    origin: new URL(jupyter.url).origin
  });
  writeNotebook(jupyter.root, NAME);
  await page.goto(`/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  await page.locator('.jp-Qsec-statusButton').click();
  const panel = page.locator('#qsec-panel');
  const list = panel.getByRole('list', { name: 'Recorded runs' });
  const rows = list.getByRole('listitem');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());

  await test.step('the tab is empty before the first run, and says so', async () => {
    await panel.getByRole('tab', { name: 'Overview' }).press('ArrowRight');
    await expect(panel.getByRole('tab', { name: 'Runs' })).toBeFocused();
    await expect(panel).toContainText('No run yet');
  });

  await test.step('runs appear by themselves', async () => {
    const output = await notebook.run(RUNS);
    await expect(output).toContainText('three runs', { timeout: 60_000 });
    await expect(rows).toHaveCount(3, { timeout: 15_000 });
    await expect(rows.first()).toContainText('StatevectorSampler.run');
    await expect(rows.first()).toContainText(NAME);
    await picture(page, 'runs');
  });

  await test.step('search and filters leave what is looked for', async () => {
    await panel.getByLabel('Search runs').fill('aersim');
    await expect(rows).toHaveCount(2);
    await panel.getByLabel('Framework').selectOption('cirq');
    await expect(panel).toContainText('No run matches');
    await panel.getByRole('button', { name: /Clear search/ }).click();
    await expect(rows).toHaveCount(3);
    await panel.getByLabel('Backend').selectOption('aer_simulator');
    await panel.getByLabel('Status').selectOption('done');
    await panel.getByLabel('Time').selectOption('day');
    await expect(rows).toHaveCount(2);
  });

  await test.step('a run says what ran, and can be cited', async () => {
    await rows
      .first()
      .getByRole('button', { name: 'AerSimulator.run' })
      .click();
    const run = panel.getByRole('region', { name: 'Run' });
    await expect(run).toContainText('aer_simulator');
    await expect(run).toContainText('2000');
    await expect(run).toContainText('seed_simulator 7');
    await expect(run).toContainText(NAME);
    await run.getByRole('button', { name: 'Citation' }).click();
    await expect(run).toContainText('Copied');
    expect(await copied()).toContain('Quantum run');
    await run.getByRole('button', { name: 'BibTeX' }).click();
    await expect.poll(copied).toContain('@');
    await run.getByRole('button', { name: 'All runs' }).click();
    await expect(rows).toHaveCount(2);
  });

  await test.step('two runs are compared, what differs first', async () => {
    for (const row of await rows.all()) {
      await row.getByRole('checkbox').check();
    }
    await panel.getByRole('button', { name: 'Compare', exact: true }).click();
    const diff = panel.getByRole('region', { name: 'Two runs compared' });
    await expect(diff.locator('.jp-mod-before').first()).toContainText('100');
    await expect(diff.locator('.jp-mod-after').first()).toContainText('2000');
    await expect(diff).toContainText(/The same: .*Circuit/);
    await picture(page, 'diff');
  });

  await test.step('axe finds nothing in any of it, in both themes', async () => {
    for (const theme of ['JupyterLab Dark', 'JupyterLab Light']) {
      await page.evaluate(async name => {
        const { commands } = window.jupyterapp;
        await commands.execute('apputils:change-theme', { theme: name });
      }, theme);
      await page.waitForTimeout(1000);
      const found = await new AxeBuilder({ page })
        .include('#qsec-panel')
        .analyze();
      expect(found.violations.map(v => `${theme}: ${v.id}`)).toEqual([]);
    }
    await panel.getByRole('button', { name: 'All runs' }).click();
    const found = await new AxeBuilder({ page })
      .include('#qsec-panel')
      .analyze();
    expect(found.violations.map(v => v.id)).toEqual([]);
  });
});
