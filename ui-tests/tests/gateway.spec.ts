import { expect } from '@playwright/test';
import { readFileSync, writeFileSync } from 'fs';
import { join, resolve } from 'path';

import { closeNotifications, picture, test, violations } from './fixtures';
import { Notebook, writeNotebook } from './notebook';
import { Provider } from './provider';

const NAME = 'gateway.ipynb';
const SHIPPED = resolve(
  __dirname,
  '../../qsec_jupyter/control/policy/shipped/catalog.toml'
);

const SUBMIT = `
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import SamplerV2
service = qsec.runtime_service("ibm")
backend = service.backend("sandbox_manila")
bell = QuantumCircuit(2, name="secret project")
bell.h(0); bell.cx(0, 1); bell.measure_all()
bell = generate_preset_pass_manager(backend=backend, optimization_level=1).run(bell)
job = SamplerV2(mode=backend).run([bell], shots=256)
print(job.result()[0].data.meas.num_shots, "shots came back")
`;

test.use({ sealed: true }); // a value is pasted

test('a job goes by the gateway, and the panel says what its vendor sees', async ({
  plain: page,
  jupyter
}) => {
  const provider = new Provider();
  await provider.start(join(jupyter.folder, 'provider'));
  try {
    const catalogue = readFileSync(SHIPPED, 'utf8') + provider.entry;
    writeFileSync(join(jupyter.folder, 'home', 'catalog.toml'), catalogue);
    await jupyter.restart();
    writeNotebook(jupyter.root, NAME);
    await page.goto(`${jupyter.url}/lab/tree/${NAME}?reset`);
    await page.locator('.jp-NotebookPanel').waitFor();
    const notebook = new Notebook(page, jupyter.root, NAME);
    await notebook.ready();
    await page.locator('.jp-Qsec-statusButton').click();
    const panel = page.locator('#qsec-panel');
    const title = 'IBM through the gateway';

    await test.step('the card says where the key is, and takes one', async () => {
      const card = panel.getByRole('listitem', { name: title });
      await expect(card).toContainText('The key never reaches the kernel');
      await expect(card).toContainText('3 of 3 left');
      await card.getByRole('button', { name: /Paste a new value/ }).click();
      await card.getByLabel(`New value for ${title}`).last().fill(provider.key);
      await card.getByRole('button', { name: 'Keep in the store' }).click();
      await expect(card).toContainText('Kept in');
    });

    await test.step('a job of an unmodified client is listed with what became of it', async () => {
      await panel.getByRole('tab', { name: 'Jobs' }).click();
      await expect(panel).toContainText('No job yet');
      await notebook.run(
        'import qsec_jupyter as qsec\nqsec.request("ibm", reason="bell state")'
      );
      const output = await notebook.run(SUBMIT);
      await expect(output).toContainText('256 shots came back', {
        timeout: 90_000
      });
      const row = panel
        .getByRole('list', { name: 'Jobs' })
        .getByRole('listitem')
        .first();
      await expect(row).toContainText('sandbox_manila');
      await expect(row).toContainText('256 shots');
      await row.locator('summary').click();
      await expect(row).toContainText('Correlation');
      expect(await violations(page, '#qsec-panel')).toEqual([]);
      await closeNotifications(page);
    });

    await test.step('what the vendor sees is not the name that was given', async () => {
      await panel.getByRole('button', { name: 'What the vendor sees' }).click();
      const seen = panel.getByRole('region', { name: 'What the vendor sees' });
      await expect(seen.locator('dt').first()).toBeVisible();
      await expect(seen).toContainText('Yours: secret project');
      const sent = await seen.locator('code').allInnerTexts();
      expect(sent.join(' ')).not.toContain('secret project');
      expect(await violations(page, '#qsec-panel')).toEqual([]);
      await picture(page, 'exposure', panel);
      await panel.getByRole('button', { name: 'All jobs' }).click();
    });

    await test.step('the card says what is left; a refusal names rule and remedy', async () => {
      await panel.getByRole('tab', { name: 'Overview' }).click();
      const card = panel.getByRole('listitem', { name: title });
      await expect(card).toContainText('2 of 3 left');
      await closeNotifications(page);
      await picture(page, 'gateway', panel);
      const refused = await notebook.run(
        'SamplerV2(mode=backend).run([bell], shots=5000)'
      );
      await expect(refused).toContainText('envelope.shots', {
        timeout: 60_000
      });
      await panel.getByRole('tab', { name: 'Activity' }).click();
      await expect(panel).toContainText('Job refused by a rule');
    });
  } finally {
    await provider.stop();
  }
});
