import { readFileSync } from 'fs';
import { join } from 'path';

import type { TranslationBundle } from '@jupyterlab/translation';

import { Problem } from '../problem';
import { SERVER_TEXTS, sayProblem, sayServer } from '../serverTexts';

const catalogue = JSON.parse(
  readFileSync(
    join(
      __dirname,
      '../../qsec_jupyter/locale/de_DE/LC_MESSAGES/qsec_jupyter.json'
    ),
    'utf8'
  )
);

/** German as JupyterLab has it: gettext's look-up, with values put in. */
const german = {
  __: (key: string, ...values: unknown[]) =>
    (catalogue[key]?.[0] ?? key).replace(/%(\d)/g, (_: string, at: string) =>
      String(values[Number(at) - 1])
    )
} as unknown as TranslationBundle;

describe('what the server says', () => {
  it('is said in German, with its values', () => {
    const refusal = new Problem({
      code: 'ticket.malformed',
      title: 'That is not a ticket of this target',
      detail: 'The rule: a ticket for pilot has the form QC-[0-9]+.',
      remedy: 'Correct the ticket.',
      status: 422
    });
    expect(sayProblem(refusal, german)).toEqual({
      title: 'Das ist kein Ticket dieses Ziels',
      detail: 'Die Regel: Ein Ticket für pilot hat die Form QC-[0-9]+.',
      remedy: 'Berichtigen Sie das Ticket.'
    });
  });

  it('is found sentence by sentence where a check says two things', () => {
    expect(
      sayServer(
        'The Vault cannot be reached. No connection to http://127.0.0.1:8200 within the time limit.',
        german
      )
    ).toBe(
      'Der Vault ist nicht erreichbar. Keine Verbindung zu http://127.0.0.1:8200 innerhalb der Zeitgrenze.'
    );
  });

  it('takes the text that says most by itself', () => {
    expect(sayServer('IonQ API key', german)).toBe('IonQ-API-Schlüssel');
    expect(sayServer('Datadog key', german)).toBe('Datadog-Schlüssel');
    expect(sayServer('bundle 0123456789ab', german)).toBe(
      'Regelwerk 0123456789ab'
    );
  });

  it('stays as it came where nobody has translated it, markup and all', () => {
    for (const text of ['', 'A rule of the site. <b>%1</b> $& (.*)', '%1']) {
      expect(sayServer(text, german)).toBe(text);
    }
  });

  it.each(SERVER_TEXTS)('%s', text => {
    const said = text.replace(/%(\d)/g, 'Wert$1');
    expect(sayServer(said, german)).toBe(
      catalogue[text][0].replace(/%(\d)/g, 'Wert$1')
    );
  });
});
