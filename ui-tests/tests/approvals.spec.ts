import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { readFileSync, writeFileSync } from 'fs';
import { join, resolve } from 'path';

import { picture, test } from './fixtures';
import { Notebook, writeNotebook } from './notebook';

const NAME = 'benchmark.ipynb';

/** The shipped catalogue, with a project, and a target that is approved for certain circuits only. */
function catalogue(): string {
  const shipped = resolve(
    __dirname,
    '../../qsec_jupyter/control/policy/shipped/catalog.toml'
  );
  return `${readFileSync(shipped, 'utf8')}
[projects.chem]
title = "Chemistry"
members = ["ada"]
data_class = "confidential"

[targets.premium]
title = "Premium QPU"
provider = "simulator"
tier = "deliver"
approval = "review"
max_duration = "4h"
default_duration = "1h"
bind_payload = true
price = { currency = "USD", per_job = 1.5, per_shot = 0.001 }
source = { engine = "kv-v2", path = "targets/pilot", field = "token" }
`;
}

const ask = (shots: number) =>
  `qsec.request("premium", reason="benchmark ${shots}", wait=False, run=(bell, "qpu_one", ${shots}))`;

test('what is asked for is seen, extended, and many are denied together', async ({
  plain: page,
  jupyter
}) => {
  writeFileSync(join(jupyter.folder, 'home', 'catalog.toml'), catalogue());
  await jupyter.restart();
  writeNotebook(jupyter.root, NAME);
  await page.goto(`${jupyter.url}/lab/tree/${NAME}?reset`);
  await page.locator('.jp-NotebookPanel').waitFor();
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();
  await page.locator('.jp-Qsec-statusButton').click();
  const panel = page.locator('#qsec-panel');
  const part = (name: RegExp) => panel.getByRole('region', { name });
  const decision = part(/Waiting for your decision/);
  const grants = part(/^Targets/);

  await test.step('the form offers the project and a later start', async () => {
    await panel
      .getByRole('button', { name: /Request access to Sandbox/ })
      .click();
    const form = panel.getByRole('form', { name: /Sandbox/ });
    await form.getByLabel('Reason').fill('tomorrow');
    await form.getByLabel('Project').selectOption('Chemistry');
    await form.getByRole('button', { name: 'Begin later…' }).click();
    const tomorrow = new Date(Date.now() + 86_400_000);
    await form.getByLabel('From').fill(tomorrow.toISOString().slice(0, 16));
    await form.getByRole('button', { name: 'Request access' }).click();
    await expect(grants).toContainText('Approved');
    await expect(grants).toContainText('Begins');
    await grants.getByRole('button', { name: /Withdraw: Sandbox/ }).click();
    await expect(grants).toContainText('No open grant');
  });

  await test.step('an approver sees what will run, what it costs and what changed', async () => {
    await notebook.run(
      [
        'import qsec_jupyter as qsec',
        'from qiskit import QuantumCircuit',
        'bell = QuantumCircuit(2)',
        'bell.h(0); bell.cx(0, 1); bell.measure_all()',
        ask(1000)
      ].join('\n')
    );
    await expect(decision).toContainText('1 circuit on qpu_one, 1000 shots', {
      timeout: 60_000
    });
    await expect(decision).toContainText('2.50 USD');
    await decision.getByRole('button', { name: /^Approve/ }).click();
    await expect(grants.getByRole('timer')).toHaveCount(1);
    await notebook.run(ask(8000));
    await expect(decision).toContainText('Shots changed');
    await expect(decision).toContainText('1000 → 8000');
  });

  await test.step('more time is asked for and approved', async () => {
    const timer = grants.getByRole('timer');
    await grants
      .getByRole('button', { name: 'Extend Premium QPU by 1h' })
      .click();
    const more = decision.getByRole('listitem').filter({ hasText: 'more' });
    await expect(more).toContainText('Premium QPU for 1h more');
    await more.getByRole('button', { name: /^Approve/ }).click();
    await expect(timer).toHaveAttribute('aria-label', /left/);
    await expect(timer).toHaveText(/^(1:5|2:0)/);
  });

  await test.step('many requests are searched and denied together', async () => {
    await notebook.run([ask(1), ask(2), ask(3)].join('\n'));
    await expect(decision.getByRole('listitem')).toHaveCount(4);
    await decision.getByLabel('Search requests').fill('benchmark 2');
    await expect(decision.getByRole('listitem')).toHaveCount(1);
    await decision.getByLabel('Search requests').fill('');
    await picture(page, 'queue');
    await decision.getByRole('button', { name: 'Deny 4…' }).click();
    await decision.getByLabel('Comment on the denial').fill('one at a time');
    const axe = await new AxeBuilder({ page }).include('#qsec-panel').analyze();
    expect(axe.violations.map(one => one.id)).toEqual([]);
    await decision.getByRole('button', { name: 'Deny 4 requests' }).click();
    await expect(decision).toBeHidden();
  });

  await test.step('a lock ends what is open and says so until it is lifted', async () => {
    const lock = await page.evaluate(async () => {
      const { serverSettings } = window.jupyterapp.serviceManager;
      const headers = { 'Content-Type': 'application/json' };
      const url = `${serverSettings.baseUrl}qsec/locks`;
      const body = JSON.stringify({
        kind: 'target',
        name: 'premium',
        reason: 'maintenance'
      });
      return (await fetch(url, { method: 'POST', headers, body })).json();
    });
    expect(lock.ended).toHaveLength(2);
    const said = panel.getByRole('alert').filter({ hasText: 'locked' });
    await expect(said).toContainText(
      'Premium QPU is locked by ada: maintenance'
    );
    await expect(grants).toContainText('No open grant');
    await picture(page, 'locked');
    await page.evaluate(async id => {
      const { serverSettings } = window.jupyterapp.serviceManager;
      const url = `${serverSettings.baseUrl}qsec/locks/${id}/lift`;
      await fetch(url, { method: 'POST', body: '{}' });
    }, lock.lock.id);
    await expect(said).toBeHidden();
  });
});
