import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { IKept, IShareRequest } from './contract';
import type { IContents } from './preview';

export interface IShareQuestion {
  path: string;
  contents: IContents;
  /** Secrets that the file holds by the last save, by what they are; each is replaced in the copy. */
  secrets: string[];
}

/** Ask what a copy keeps and where it goes, and show what it leaves out; null when cancelled. */
export async function askToShare(
  question: IShareQuestion,
  trans: TranslationBundle
): Promise<IShareRequest | null> {
  const result = await showDialog<IShareRequest>({
    title: trans.__('Share safely'),
    body: new ShareBody(question, trans),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Make the copy') })
    ]
  });
  return result.button.accept ? result.value : null;
}

const NOTHING: IKept = {
  outputs: false,
  execution_counts: false,
  metadata: false
};

class ShareBody extends ReactWidget {
  constructor(
    private _question: IShareQuestion,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Qsec-share');
  }

  getValue(): IShareRequest {
    const to = this._to.trim();
    const { path } = this._question;
    return { path, keep: this._keep, ...(to ? { to } : {}) };
  }

  protected render(): JSX.Element {
    return (
      <Body
        question={this._question}
        trans={this._trans}
        onKeep={keep => {
          this._keep = keep;
        }}
        onTo={to => {
          this._to = to;
        }}
      />
    );
  }

  private _keep = NOTHING;
  private _to = '';
}

function Body(props: {
  question: IShareQuestion;
  trans: TranslationBundle;
  onKeep: (keep: IKept) => void;
  onTo: (to: string) => void;
}): JSX.Element {
  const { question, trans, onKeep, onTo } = props;
  const { path, contents } = question;
  const [keep, setKeep] = useState(NOTHING);
  const set = (changes: Partial<IKept>) => {
    const next = { ...keep, ...changes };
    setKeep(next);
    onKeep(next);
  };
  const box = (name: keyof IKept, label: string) => (
    <label>
      <input
        type="checkbox"
        checked={keep[name]}
        onChange={event => set({ [name]: event.target.checked })}
      />
      {label}
    </label>
  );
  return (
    <>
      <p>
        {trans.__(
          'A copy of %1 is written that may be given away. The notebook itself stays as it is.',
          path
        )}
      </p>
      <fieldset className="jp-Qsec-shareKeep">
        <legend>{trans.__('Keep in the copy')}</legend>
        {box('outputs', trans.__('Outputs'))}
        {box('execution_counts', trans.__('Execution counts'))}
        {box('metadata', trans.__('Metadata'))}
      </fieldset>
      <label className="jp-Qsec-shareTo">
        {trans.__('Path of the copy')}
        <input
          type="text"
          className="jp-mod-styled"
          placeholder={trans.__('beside the notebook, ending in -shared.ipynb')}
          onChange={event => onTo(event.target.value)}
        />
      </label>
      <section className="jp-Qsec-shareOut" aria-live="polite">
        <h4>{trans.__('Left out of the copy')}</h4>
        <ul>
          {removals(question, keep, trans).map(text => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        {contents.outputs > 0 && keep.outputs ? (
          <p>
            {trans.__(
              'Outputs are scanned, too; a picture of a secret is not recognised.'
            )}
          </p>
        ) : null}
      </section>
    </>
  );
}

function removals(
  question: IShareQuestion,
  keep: IKept,
  trans: TranslationBundle
): string[] {
  const { contents, secrets } = question;
  const { outputs, executionCounts, metadata } = contents;
  const lines = [
    secrets.length > 0
      ? trans._n(
          '%1 known secret: %2',
          '%1 known secrets: %2',
          secrets.length,
          [...new Set(secrets)].join(', ')
        )
      : trans.__('Every secret that the scan finds'),
    !keep.outputs && outputs > 0
      ? trans._n('%1 output', '%1 outputs', outputs)
      : '',
    !keep.execution_counts && executionCounts > 0
      ? trans._n('%1 execution count', '%1 execution counts', executionCounts)
      : '',
    !keep.metadata && metadata.length > 0
      ? trans.__('Metadata: %1', metadata.join(', '))
      : ''
  ];
  return lines.filter(Boolean);
}
