import { expect, test } from '@playwright/test';
import { randomBytes } from 'crypto';
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

import { Jupyter } from './jupyter';
import { Notebook, writeNotebook } from './notebook';

const NAME = 'secured.ipynb';

/** Everything that lies in a folder, as one text. */
function contents(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

test('the panel works with token and XSRF on, and a pasted value goes nowhere else', async ({
  page
}) => {
  const jupyter = new Jupyter(randomBytes(16).toString('hex'), true);
  await jupyter.start();
  try {
    writeNotebook(jupyter.root, NAME);
    await page.goto(
      `${jupyter.url}/lab/tree/${NAME}?reset&token=${jupyter.token}`
    );
    await page.locator('.jp-NotebookPanel').waitFor();
    const notebook = new Notebook(page, jupyter.root, NAME);
    await notebook.ready();
    await page.locator('.jp-Qsec-statusButton').click();
    const panel = page.locator('#qsec-panel');
    const button = (name: string | RegExp) =>
      panel.getByRole('button', { name });

    await test.step('a grant is asked for and handed back', async () => {
      await button(/access to Sandbox/).click();
      const form = panel.getByRole('form', { name: /Sandbox/ });
      await form.getByLabel('Reason').fill('secured');
      await form.getByRole('button', { name: 'Request access' }).click();
      await expect(panel.getByRole('timer')).toHaveCount(1);
      await button('Hand back: Sandbox').click();
      await expect(panel.getByRole('timer')).toHaveCount(0);
    });

    await test.step('who has no token, or no XSRF cookie in the header, is refused', async () => {
      const stranger = await fetch(`${jupyter.url}/qsec/state`);
      expect(stranger.status).toBe(403);
      const forged = await page.evaluate(async url => {
        const body = '{"kind": "site", "name": "", "reason": "forged"}';
        return (await fetch(`${url}/qsec/locks`, { method: 'POST', body }))
          .status;
      }, jupyter.url);
      expect(forged).toBe(403);
    });

    await test.step('a pasted value reaches the store, and nothing that can be read', async () => {
      const value = randomBytes(33).toString('base64url');
      await button('Paste a new value for Sandbox').click();
      const field = panel.getByLabel('New value for Sandbox').last();
      await field.fill(value);
      await panel.getByRole('button', { name: 'Keep in the store' }).click();
      await expect(panel).toContainText('Kept in');
      expect(await page.content()).not.toContain(value);
      const stored = await page.evaluate(() =>
        JSON.stringify({ ...localStorage, ...sessionStorage })
      );
      expect(stored).not.toContain(value);
      // A kernel gets it only by a grant, and shows it to nobody.
      const output = await notebook.run(
        [
          'import hashlib, qsec_jupyter as qsec',
          'qsec.request("sandbox", reason="pasted")',
          'value = qsec.credential("sandbox").reveal()',
          'print("digest", hashlib.sha256(value.encode()).hexdigest())',
          'print(value)'
        ].join('\n')
      );
      const digest = await page.evaluate(async text => {
        const bytes = new TextEncoder().encode(text);
        const hash = await crypto.subtle.digest('SHA-256', bytes);
        return Array.from(new Uint8Array(hash))
          .map(one => one.toString(16).padStart(2, '0'))
          .join('');
      }, value);
      await expect(output).toContainText(`digest ${digest}`);
      await expect(output).toContainText('[redacted: sandbox]');
      await notebook.save();
      expect(contents(jupyter.folder)).not.toContain(value);
    });
  } finally {
    await jupyter.clean();
  }
});
