import { expect } from '@playwright/test';
import { randomBytes } from 'crypto';

import { closeNotifications, picture, test } from './fixtures';
import { Notebook, oldCell, writeNotebook } from './notebook';

const NAME = 'story.ipynb';

/** Made up anew at each run, in the form of an IBM Cloud API key. */
const madeUpToken = () => randomBytes(33).toString('base64url');

test('from a request to a clean notebook, all of it in the panel', async ({
  page,
  jupyter
}) => {
  const pasted = madeUpToken();
  const printed = madeUpToken();
  writeNotebook(jupyter.root, NAME, [
    oldCell('old', 'show_account()', `token = "${printed}"\n`)
  ]);
  await page.goto(`tree/${NAME}?reset`);
  const notebook = new Notebook(page, jupyter.root, NAME);
  await notebook.ready();

  const panel = page.locator('#qsec-panel');
  const part = (name: string | RegExp) => panel.getByRole('region', { name });
  const grants = part(/^Targets/);
  const status = page.locator('.jp-Qsec-statusButton');

  await test.step('the panel says who, which vault, what can be asked for', async () => {
    await status.click();
    await expect(panel).toBeVisible();
    const identity = panel.getByLabel('Identity and vault');
    await expect(identity).toContainText(/Vault|OpenBao|sealed store/i);
    await expect(part(/^Targets/)).toContainText('Sandbox');
    await expect(part(/^Targets/)).toContainText('needs approval');
    await expect(grants).toContainText('No open grant');
    await expect(status).toContainText('No grant');
  });

  await test.step('a request in Python is granted by policy and counts down', async () => {
    const output = await notebook.run(
      'import qsec_jupyter as qsec\n' +
        'qsec.request("sandbox", reason="first run", ticket="QC-1", duration="30m")'
    );
    await expect(output).toContainText('sandbox');
    await expect(grants.getByRole('timer')).toHaveText(/^(30:00|29:\d\d)$/);
    await expect(grants).toContainText(NAME);
    await expect(status).toContainText(/Sandbox (30:00|29:)/);
  });

  await test.step('the form says what does not fit while it is typed', async () => {
    await page.getByRole('button', { name: /Request access to Pilot/ }).click();
    const form = page.getByRole('form', { name: /Pilot/ });
    const send = form.getByRole('button', { name: 'Request access' });
    await expect(form.getByLabel('Reason')).toBeFocused();
    await expect(form).toContainText(`For the kernel of ${NAME}`);
    await form.getByLabel('Reason').fill('compare with the sandbox');
    await form.getByLabel('Ticket').fill('no ticket');
    await expect(form.getByLabel('Ticket')).toHaveAccessibleDescription(
      /A ticket looks like QC-/
    );
    await expect(send).toBeDisabled();
    await form.getByLabel('Ticket').fill('QC-8');
    await expect(send).toBeEnabled();
    await form.getByLabel('Ticket').press('Escape');
    await expect(form).toBeHidden();
  });

  await test.step('a denied request says who and why', async () => {
    await page.getByRole('button', { name: /Request access to Pilot/ }).click();
    const form = page.getByRole('form', { name: /Pilot/ });
    await form.getByLabel('Reason').fill('a second device');
    await form.getByLabel('Ticket').fill('QC-8');
    await form.getByRole('button', { name: 'Request access' }).click();
    const decision = part(/Waiting for your decision/);
    await decision.getByLabel(/Comment/).fill('not this week');
    await decision.getByRole('button', { name: /^Deny/ }).click();
    await grants.getByText(/ended within the last hour/).click();
    await expect(grants).toContainText('Denied');
    await expect(grants).toContainText('not this week');
    await grants.getByText(/ended within the last hour/).click();
  });

  await test.step('a waiting call returns when the request is approved in the panel', async () => {
    const output = await notebook.run(
      '%qsec request pilot --reason "compare with the sandbox" --ticket QC-7 --for 15m\n' +
        'print("the call came back")'
    );
    const decision = part(/Waiting for your decision/);
    await expect(decision).toContainText('compare with the sandbox');
    await expect(output).not.toContainText('the call came back');
    await picture(page, 'approval');
    await decision.getByRole('button', { name: /^Approve/ }).click();
    await expect(output).toContainText('the call came back', {
      timeout: 10_000
    });
    await expect(grants.getByRole('timer')).toHaveCount(2);
    await expect(decision).toBeHidden();
  });

  await test.step('a credential is masked wherever it shows', async () => {
    const shown = await notebook.run(
      'credential = qsec.credential("sandbox")\nprint(credential.reveal())'
    );
    await expect(shown).toContainText('[redacted: sandbox]');
    const echoed = await notebook.run(
      'value = credential.reveal()\n!echo {value}'
    );
    await expect(echoed).toContainText('[redacted: sandbox]');
    const raised = await notebook.run(
      'raise ValueError(f"refused {credential.reveal()}")'
    );
    await expect(raised).toContainText(
      'ValueError: refused [redacted: sandbox]'
    );
  });

  await test.step('runs are recorded and shown', async () => {
    const output = await notebook.run(
      [
        'from qiskit import QuantumCircuit',
        'from qiskit_aer import AerSimulator',
        'bell = QuantumCircuit(2)',
        'bell.h(0); bell.cx(0, 1); bell.measure_all()',
        'AerSimulator().run(bell, shots=1000).result().get_counts()'
      ].join('\n')
    );
    await expect(output).toContainText("'00'", { timeout: 60_000 });
    const runs = part(/^Last runs/);
    await expect(runs).toContainText('AerSimulator.run');
    await expect(runs).toContainText('1 circuit · 1000 shots');
    await expect(runs.getByRole('img', { name: 'Done' })).toBeVisible();
    await expect(runs).toContainText(/[Ss]igned by/);
    await runs.getByRole('button', { name: 'Run id' }).first().click();
    await expect(runs.getByText('Copied')).toBeVisible();
    const card = await notebook.run('%qsec provenance');
    await expect(card).toContainText(/AerSimulator/);

    const sampled = await notebook.run(
      [
        'from qiskit.primitives import StatevectorSampler',
        'from qiskit_aer.primitives import SamplerV2',
        'for sampler in (StatevectorSampler(), SamplerV2()):',
        '    print(sampler.run([bell], shots=1000).result()[0].data.meas.num_shots)'
      ].join('\n')
    );
    await expect(sampled).toContainText(/1000\s+1000/, { timeout: 60_000 });
    await expect(runs).toContainText('StatevectorSampler.run');
    await expect(runs).toContainText('SamplerV2.run');
    await expect(runs.getByRole('img', { name: 'Done' })).toHaveCount(3);
    await expect(runs.getByRole('listitem')).toHaveCount(3);
  });

  await test.step('a save masks the file, brings outputs in step and asks about the cell', async () => {
    const cell = await notebook.write(`token = "${pasted}"`);
    await notebook.save();
    const toast = page.locator('.Toastify__toast', { hasText: 'masked' });
    await expect(toast).toContainText(/2 secrets masked/);
    await expect(toast).toContainText(`cell ${cell + 1}, line 1`);
    await expect(toast).toContainText('output of cell 1');
    expect(notebook.onDisk()).not.toContain(pasted);
    expect(notebook.onDisk()).not.toContain(printed);
    await expect(notebook.output(0)).toContainText('[redacted:');
    expect(await notebook.source(cell)).toContain(pasted);
    await notebook.expectClean();
    await picture(page, 'save');

    await notebook.save();
    await expect(toast).toHaveCount(1);
    await toast.getByRole('button', { name: 'Redact' }).click();
    await expect.poll(() => notebook.source(cell)).toContain('[redacted:');
    await expect(toast).toHaveCount(0);
    await notebook.expectClean();
    await expect(page.locator('.jp-Dialog')).toHaveCount(0);
    expect(notebook.onDisk()).toContain('[redacted:');
    await expect(part(/^Last findings/)).toContainText('Masked in the file');
  });

  await test.step('it looks the same in both themes', async () => {
    const theme = (name: string) =>
      page.evaluate(
        theme =>
          window.jupyterapp.commands.execute('apputils:change-theme', {
            theme
          }),
        name
      );
    await closeNotifications(page);
    await panel.getByLabel('Identity and vault').scrollIntoViewIfNeeded();
    await picture(page, 'panel-light');
    await theme('JupyterLab Dark');
    await expect(page.locator('body')).toHaveAttribute(
      'data-jp-theme-light',
      'false'
    );
    await page.waitForTimeout(500);
    await picture(page, 'panel-dark');
    await theme('JupyterLab Light');
  });

  await test.step('cancel leaves the cell and asks no second time', async () => {
    const other = madeUpToken();
    const cell = await notebook.write(`api_key = "${other}"`);
    await notebook.save();
    const toast = page.locator('.Toastify__toast', { hasText: 'masked' });
    await toast.getByRole('button', { name: 'Cancel' }).click();
    await expect(toast).toHaveCount(0);
    await notebook.save();
    await page.waitForTimeout(1500);
    await expect(toast).toHaveCount(0);
    expect(await notebook.source(cell)).toContain(other);
    expect(notebook.onDisk()).not.toContain(other);
  });

  await test.step('what is kept with a reason is written', async () => {
    const example = madeUpToken();
    await notebook.write(`secret = "${example}"`);
    await notebook.save();
    const toast = page.locator('.Toastify__toast', { hasText: 'masked' });
    await toast.getByRole('button', { name: /^Keep/ }).click();
    const dialog = page.locator('.jp-Dialog');
    const keep = dialog.getByRole('button', { name: 'Keep' });
    await dialog.getByRole('checkbox').first().uncheck();
    await dialog.getByLabel('Reason').fill('made up for the docs');
    await keep.click();
    await expect.poll(() => notebook.onDisk()).toContain(example);
  });

  await test.step('a finding leads to its cell', async () => {
    await part(/^Last findings/)
      .getByRole('button', { name: /Go to the cell/ })
      .first()
      .click();
    await expect(page.locator('.jp-Notebook-cell.jp-mod-active')).toBeVisible();
  });

  await test.step('a reload brings the panel back with what is granted', async () => {
    await page.waitForTimeout(2000); // the workspace is written with a delay
    await page.reload();
    await expect(panel).toBeVisible();
    await expect(grants.getByRole('timer')).toHaveCount(2);
  });

  await test.step('the keyboard reaches every control, and a grant is handed back', async () => {
    const handBack = grants.getByRole('button', { name: /Hand back: Sandbox/ });
    // JupyterLab gives the restored notebook the focus at a time of its own, so begin again when it does.
    await expect(async () => {
      await part(/^Targets/)
        .getByRole('button')
        .first()
        .focus();
      for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab');
        if (await handBack.evaluate(node => node === document.activeElement)) {
          break;
        }
      }
      await expect(handBack).toBeFocused({ timeout: 500 });
    }).toPass();
    await expect(async () => {
      if ((await grants.getByRole('timer').count()) > 1) {
        await handBack.press('Enter', { timeout: 2000 }); // the focus may have moved since
      }
      await expect(grants.getByRole('timer')).toHaveCount(1, { timeout: 5000 });
    }).toPass({ timeout: 40_000 });
    const refused = await notebook.run('qsec.credential("sandbox")');
    await expect(refused).toContainText(/request/i);
  });
});
