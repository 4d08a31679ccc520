import { expect } from '@playwright/test';

import { test } from './fixtures';
import { Notebook, writeNotebook } from './notebook';

const NAME = 'faults.ipynb';

test('the panel outlives the control plane and the server', async ({
  plain: page,
  jupyter
}) => {
  writeNotebook(jupyter.root, NAME);
  await page.goto(`/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  const panel = page.locator('#qsec-panel');
  const timer = panel.getByRole('timer');
  await page.locator('.jp-Qsec-statusButton').click();
  await notebook.run(
    'import qsec_jupyter as qsec\nqsec.request("sandbox", reason="faults")'
  );
  await expect(timer).toHaveCount(1);

  await test.step('a killed control plane comes back without a reload', async () => {
    await notebook.run(
      [
        'import os, psutil',
        'for child in psutil.Process(os.getppid()).children():',
        '    if "serve" in child.cmdline():',
        '        child.kill()'
      ].join('\n')
    );
    await expect(panel.getByRole('alert')).toBeHidden({ timeout: 60_000 });
    await expect(
      panel.getByText(/All checks pass|needs? attention/)
    ).toBeVisible();
  });

  await test.step('while the server is away the last state stays, greyed', async () => {
    await jupyter.stop();
    await expect(panel.getByRole('alert').first()).toContainText(
      'does not answer'
    );
    await expect(panel.locator('.jp-Qsec-data')).toHaveClass(/jp-mod-stale/);
    await expect(panel).toContainText('Sandbox');
    await expect(panel).toContainText('Not connected: last known state');
  });

  await test.step('a restarted server is found again; its grants are gone', async () => {
    await jupyter.start();
    await expect(panel.getByRole('alert')).toHaveCount(0, { timeout: 60_000 });
    await expect(timer).toHaveCount(0);
    await expect(panel).toContainText('No open grant');
  });
});
