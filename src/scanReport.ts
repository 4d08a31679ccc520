import type * as nbformat from '@jupyterlab/nbformat';

import type { DataClass, IFinding } from './contract';

/** The redacted replacement of a cell; a part that had nothing to redact is absent. */
export interface ICellReplacement {
  source?: string;
  /** The source with a call of the broker in the place of each secret; absent where that is not possible. */
  broker?: string;
  outputs?: nbformat.IOutput[];
  metadata?: Partial<nbformat.IBaseCellMetadata>;
  attachments?: nbformat.IAttachments;
}

/** A part of a notebook that the scanner could not look at. */
export interface IUnscanned {
  surface: string;
  why: string;
}

/**
 * What the last save of one notebook found.
 *
 * It is the server extension's own shape, not the control plane's: `cells` holds redacted text only, by the index
 * that the cell had in the saved file.
 */
export interface IScanReport {
  path: string;
  saved_at: string;
  findings: IFinding[];
  cells: { [index: string]: ICellReplacement };
  unscanned: IUnscanned[];
  /** The data class that held for the file. */
  data_class: DataClass;
  /** Nothing was written: the data class does not allow what was found. */
  blocked: boolean;
}
