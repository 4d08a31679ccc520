import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IShared } from './contract';

/** Say what was written and left out, with links to both files. */
export async function showShared(
  shared: IShared,
  open: (path: string, factory?: string) => void,
  trans: TranslationBundle
): Promise<void> {
  const dialog = new Dialog({
    title: trans.__('The copy is ready'),
    body: ReactWidget.create(
      <Result
        shared={shared}
        trans={trans}
        onOpen={(path, factory) => {
          dialog.resolve();
          open(path, factory);
        }}
      />
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
  await dialog.launch();
}

function Result(props: {
  shared: IShared;
  trans: TranslationBundle;
  onOpen: (path: string, factory?: string) => void;
}): JSX.Element {
  const { shared, trans, onOpen } = props;
  const { removed } = shared;
  const lines = [
    removed.secrets > 0
      ? trans._n('%1 secret replaced', '%1 secrets replaced', removed.secrets)
      : trans.__('No secret was left to replace'),
    removed.outputs > 0
      ? trans._n('%1 output left out', '%1 outputs left out', removed.outputs)
      : '',
    removed.metadata > 0
      ? trans._n(
          '%1 metadata entry left out',
          '%1 metadata entries left out',
          removed.metadata
        )
      : ''
  ].filter(Boolean);
  return (
    <div className="jp-Qsec-share">
      <dl>
        <dt>{trans.__('Copy')}</dt>
        <dd>
          <button
            type="button"
            className="jp-Qsec-link"
            onClick={() => onOpen(shared.path)}
          >
            {shared.path}
          </button>
        </dd>
        <dt>{trans.__('Report')}</dt>
        <dd>
          <button
            type="button"
            className="jp-Qsec-link"
            onClick={() => onOpen(shared.report, 'Markdown Preview')}
          >
            {shared.report}
          </button>
        </dd>
        <dt>{trans.__('Recorded')}</dt>
        <dd>
          {shared.recorded && shared.share_id ? (
            <code>{shared.share_id}</code>
          ) : (
            trans.__(
              'No: the control plane does not answer. The copy is safe all the same.'
            )
          )}
        </dd>
      </dl>
      <ul>
        {lines.map(line => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}
