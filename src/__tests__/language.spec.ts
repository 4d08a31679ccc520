import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

import { messages } from './messages';

const LOCALES = join(__dirname, '..', '..', 'qsec_jupyter', 'locale');

interface ICatalogue {
  '': { domain: string; language: string; plural_forms: string };
  [key: string]: unknown;
}

const known = messages();
const placeholders = (text: string) =>
  [...new Set(text.match(/%\d/g) ?? [])].sort();

// A text that is not translated is a failure of the linter (jupyter/no-untranslated-string); one without German, of this.
describe.each(readdirSync(LOCALES))('the catalogue of %s', locale => {
  const path = join(LOCALES, locale, 'LC_MESSAGES', 'qsec_jupyter.json');
  const catalogue = JSON.parse(readFileSync(path, 'utf8')) as ICatalogue;
  const { '': head, ...entries } = catalogue;
  const forms = entries as Record<string, string[]>;

  it('says whose it is', () => {
    // The folder is named as gettext does, the language as browsers do.
    const language = locale.replace('_', '-');
    expect(head).toMatchObject({ domain: 'qsec_jupyter', language });
    expect(head.plural_forms).toMatch(/^nplurals=2;/);
  });

  it('has every text of the source and of the settings, and no other', () => {
    const missing = [...known.keys()].filter(key => !(key in forms));
    const orphans = Object.keys(forms).filter(key => !known.has(key));
    expect({ missing, orphans }).toEqual({ missing: [], orphans: [] });
  });

  it('has as many forms as the source, with the same placeholders', () => {
    const wrong = [...known].filter(([key, message]) => {
      const translated = forms[key];
      const all = new Set(message.flatMap(placeholders));
      return (
        translated.length !== message.length ||
        translated.some(
          (text, at) =>
            text.trim() === '' ||
            // Only a singular may say its number in words.
            placeholders(text).some(one => !all.has(one)) ||
            (at === message.length - 1 &&
              placeholders(text).join() !== placeholders(message[at]).join())
        )
      );
    });
    expect(wrong.map(([key]) => key)).toEqual([]);
  });
});
