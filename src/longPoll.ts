import type { IDisposable } from '@lumino/disposable';

/** How a poll paces itself; every number in milliseconds. */
export interface IPace {
  /** Pause after the first, second, ... failure in a row; the last one repeats. */
  backoff: readonly number[];
  /** Least time between the starts of two calls, so that a server that answers at once is not hammered. */
  minimum: number;
}

export const PACE: IPace = {
  backoff: [1000, 2000, 4000, 8000, 15000, 30000],
  minimum: 250
};

/** The part of `document` that tells whether anybody can see this page. */
export type Visibility = Pick<
  Document,
  'hidden' | 'addEventListener' | 'removeEventListener'
>;

export interface ILongPollOptions {
  /** One call. It must end soon after `signal` aborts. */
  call: (signal: AbortSignal) => Promise<void>;
  /** Told of each failure that is not an abort. */
  failed: (error: unknown) => void;
  visibility?: Visibility;
  /** Whether to go on while the page is hidden. */
  whileHidden?: () => boolean;
  pace?: IPace;
}

/**
 * Calls again and again: at once after an answer, with back-off after a failure, not at all while the page is hidden
 * (unless it is told to).
 *
 * Becoming visible, and `refresh()`, end whatever it waits for.
 */
export class LongPoll implements IDisposable {
  constructor(options: ILongPollOptions) {
    this._options = options;
    this._pace = options.pace ?? PACE;
    this._visibility = options.visibility ?? document;
    this._visibility.addEventListener('visibilitychange', this._onVisibility);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Begin; returns at once. */
  start(): void {
    if (!this._isRunning) {
      this._isRunning = true;
      void this._run();
    }
  }

  /** Give up the present wait and call anew. */
  refresh(): void {
    this._failures = 0;
    this._abort.abort();
    this._wake?.();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._visibility.removeEventListener(
      'visibilitychange',
      this._onVisibility
    );
    this.refresh();
  }

  private async _run(): Promise<void> {
    while (!this._isDisposed) {
      if (this._isPaused) {
        await this._sleep(null);
        continue;
      }
      const started = Date.now();
      await this._callOnce();
      await this._sleep(this._pause(Date.now() - started));
    }
  }

  private async _callOnce(): Promise<void> {
    const abort = (this._abort = new AbortController());
    try {
      await this._options.call(abort.signal);
      this._failures = 0;
    } catch (error) {
      if (!abort.signal.aborted) {
        this._failures += 1;
        this._options.failed(error);
      }
    }
  }

  private _pause(spent: number): number {
    const { backoff, minimum } = this._pace;
    const least = Math.max(0, minimum - spent);
    if (this._failures === 0) {
      return least;
    }
    // A fifth of jitter, so that the tabs of a class do not return in step after a restart.
    const index = Math.min(this._failures, backoff.length) - 1;
    return Math.max(least, backoff[index] * (0.9 + 0.2 * Math.random()));
  }

  /** Wait for `milliseconds`, or with null for as long as nobody wakes us. */
  private async _sleep(milliseconds: number | null): Promise<void> {
    if (this._isDisposed || milliseconds === 0) {
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>(resolve => {
      this._wake = resolve;
      if (milliseconds !== null) {
        timer = setTimeout(resolve, milliseconds);
      }
    });
    clearTimeout(timer);
    this._wake = null;
  }

  private get _isPaused(): boolean {
    return this._visibility.hidden && !this._options.whileHidden?.();
  }

  private _onVisibility = (): void => {
    if (this._isPaused) {
      this._abort.abort();
    } else {
      this.refresh();
    }
  };

  private _options: ILongPollOptions;
  private _pace: IPace;
  private _visibility: Visibility;
  private _abort = new AbortController();
  private _wake: (() => void) | null = null;
  private _failures = 0;
  private _isRunning = false;
  private _isDisposed = false;
}
