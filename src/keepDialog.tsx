import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IFinding } from './contract';
import { placeOf } from './place';
import { sayServer } from './serverTexts';

/** Which values stay, and why. */
export interface IKeepChoice {
  fingerprints: string[];
  reason: string;
}

/** Ask for the reason, and with several values for which of them; null when the dialog is cancelled. */
export async function askToKeep(
  findings: readonly IFinding[],
  trans: TranslationBundle
): Promise<IKeepChoice | null> {
  const result = await showDialog<IKeepChoice>({
    title: trans.__('Keep with a reason'),
    body: new KeepBody(findings, trans),
    focusNodeSelector: '.jp-Qsec-keepReason',
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Keep') })
    ]
  });
  const choice = result.button.accept ? result.value : null;
  return choice && choice.fingerprints.length > 0 ? choice : null;
}

class KeepBody extends ReactWidget {
  constructor(findings: readonly IFinding[], trans: TranslationBundle) {
    super();
    this.addClass('jp-Qsec-keep');
    this._trans = trans;
    for (const finding of findings) {
      const same = this._byValue.get(finding.fingerprint) ?? [];
      this._byValue.set(finding.fingerprint, [...same, finding]);
    }
  }

  getValue(): IKeepChoice {
    const { node } = this;
    const boxes = node.querySelectorAll<HTMLInputElement>(
      'input[type=checkbox]:checked'
    );
    const reason = node.querySelector<HTMLInputElement>('.jp-Qsec-keepReason');
    return {
      fingerprints: [...boxes].map(box => box.value),
      reason: reason?.value.trim() ?? ''
    };
  }

  protected render(): JSX.Element {
    const trans = this._trans;
    return (
      <>
        <p>
          {trans.__(
            'The next save writes the value as it is. Who kept it and why is recorded.'
          )}
        </p>
        <ul className="jp-Qsec-keepList">
          {[...this._byValue].map(([fingerprint, findings]) => (
            <li key={fingerprint}>
              <label>
                <input type="checkbox" value={fingerprint} defaultChecked />
                {sayServer(findings[0].title, trans)} (
                {findings.map(f => placeOf(f, trans)).join('; ')})
              </label>
            </li>
          ))}
        </ul>
        <label>
          {trans.__('Reason')}
          <input
            className="jp-mod-styled jp-Qsec-keepReason"
            required
            maxLength={200}
            pattern=".*\S.*"
            placeholder={trans.__(
              'Why it may stay, e.g. "made up for the docs"'
            )}
          />
        </label>
      </>
    );
  }

  private _trans: TranslationBundle;
  private _byValue = new Map<string, IFinding[]>();
}
