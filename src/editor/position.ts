import type { Text } from '@codemirror/state';

import type { IFinding } from '../contract';

/** A range in a document, in CodeMirror's offsets. */
export interface IRange {
  from: number;
  to: number;
}

/**
 * Where a finding stands in a text, or null when the text has no such place.
 *
 * Lines and columns count from 1, columns in code points as Python does; offsets count UTF-16 units. A finding that
 * does not say where it ends reaches to the next space or quote.
 */
export function rangeOf(finding: IFinding, doc: Text): IRange | null {
  if (finding.line < 1 || finding.line > doc.lines) {
    return null;
  }
  const line = doc.line(finding.line);
  const from = line.from + units(line.text, finding.column - 1);
  const end = finding.end_column;
  const to =
    end > finding.column
      ? line.from + units(line.text, end - 1)
      : from +
        (/^[^\s"'`]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0);
  return from < to ? { from, to } : null;
}

/** How many UTF-16 units the first code points of a text take. */
function units(text: string, points: number): number {
  return [...text].slice(0, Math.max(0, points)).join('').length;
}
