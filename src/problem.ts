/** A refusal or failure as the server words it (RFC 9457), ready to be shown: what happened and what to do. */
export class Problem extends Error {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
  /** HTTP status, or 0 when no answer came at all. */
  readonly status: number;

  constructor(facts: Problem.IFacts) {
    super(facts.title);
    this.name = 'Problem';
    this.code = facts.code;
    this.title = facts.title;
    this.detail = facts.detail ?? '';
    this.remedy = facts.remedy ?? '';
    this.status = facts.status;
  }

  /** Whether waiting and asking again may help; a refusal stays a refusal. */
  get isTransient(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }

  /** Whether the server does not know our routes at all. */
  get isMissingExtension(): boolean {
    return this.code === 'http.404';
  }
}

export namespace Problem {
  export interface IFacts {
    code: string;
    title: string;
    detail?: string;
    remedy?: string;
    status: number;
  }

  /**
   * Read a problem document.
   *
   * Anything else that a proxy or Jupyter's own error page may send is reduced to its status: foreign text may quote
   * what it was sent.
   */
  export function fromBody(status: number, body: unknown): Problem {
    const facts = body as Partial<IFacts> | null;
    if (
      facts &&
      typeof facts.code === 'string' &&
      typeof facts.title === 'string'
    ) {
      return new Problem({
        code: facts.code,
        title: facts.title,
        detail: text(facts.detail),
        remedy: text(facts.remedy),
        status
      });
    }
    return new Problem({
      code: `http.${status}`,
      title: `The Jupyter server answered with status ${status}`,
      status
    });
  }

  /** Wrap whatever was thrown. */
  export function from(error: unknown): Problem {
    if (error instanceof Problem) {
      return error;
    }
    return new Problem({
      code: 'network.unreachable',
      // eslint-disable-next-line jupyter/no-untranslated-string -- problems are worded in English, as the server's are
      title: 'The Jupyter server does not answer',
      remedy: 'Check the connection; the panel tries again by itself.',
      status: 0
    });
  }

  function text(value: unknown): string {
    return typeof value === 'string' ? value : '';
  }
}
