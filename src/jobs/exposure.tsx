import React from 'react';

import type { IJob } from '../contract';
import { usePanel } from '../panel/context';
import { Page } from '../runs/page';
import { useAnswer } from '../runs/useAnswer';

/** Exactly what a vendor sees of a job, field by field, and why what is not hidden is not. */
export function JobExposure(props: {
  job: IJob;
  onBack: () => void;
}): JSX.Element {
  const { api, trans } = usePanel();
  const { job } = props;
  const answer = useAnswer(job.correlation_id, () =>
    api.exposure(job.correlation_id)
  );
  return (
    <Page
      title={trans.__('What the vendor sees')}
      back={trans.__('All jobs')}
      answer={answer}
      onBack={props.onBack}
    >
      {({ fields }) => (
        <>
          <h3 className="jp-Qsec-pageTitle">
            {trans.__('What the vendor sees')}
          </h3>
          <dl className="jp-Qsec-exposed">
            {fields.map((field, index) => (
              <div key={index} className="jp-Qsec-item">
                <dt className="jp-Qsec-strong">{field.name}</dt>
                <dd>
                  <code>{field.sent}</code>
                </dd>
                <dd className="jp-Qsec-dim">
                  {field.original && field.original !== field.sent
                    ? trans.__('Yours: %1', field.original)
                    : field.why}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </Page>
  );
}
