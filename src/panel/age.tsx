import React from 'react';

import { age, sayMoment } from '../countdown';
import { usePanel } from './context';

/** How long ago something was; the moment itself is in the tooltip. */
export function Age(props: { moment: string }): JSX.Element {
  const { model, trans } = usePanel();
  return (
    <time
      className="jp-Qsec-age"
      dateTime={props.moment}
      title={sayMoment(props.moment)}
    >
      {age(props.moment, model.now(), trans)}
    </time>
  );
}
