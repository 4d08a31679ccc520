import { caretLeftIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useRef } from 'react';

/** The way back from a page to the list that it belongs to; who came by keyboard goes on from here. */
export function PageHead(props: {
  back: string;
  onBack: () => void;
}): JSX.Element {
  const back = useRef<HTMLButtonElement>(null);
  useEffect(() => back.current?.focus(), []);
  return (
    <div className="jp-Qsec-pageHead">
      <button
        ref={back}
        type="button"
        className="jp-Qsec-back"
        onClick={props.onBack}
      >
        <caretLeftIcon.react tag="span" className="jp-Qsec-icon" />
        {props.back}
      </button>
    </div>
  );
}
