import { Notification } from '@jupyterlab/apputils';

/** Something to be told, and what can be done about it. */
export interface INotice {
  /** The same thing has the same key. */
  key: string;
  kind: 'info' | 'success' | 'warning' | 'error';
  text: string;
  actions?: ReadonlyArray<{
    label: string;
    caption?: string;
    callback: () => void;
  }>;
  /** Whether it goes by itself after a while. */
  closes?: boolean;
}

/** Puts notices before a person. */
export interface IShow {
  /** Show these, each once; what was shown and is not among them goes. */
  show(notices: readonly INotice[]): void;
  /** Show one that nothing takes away again. */
  tell(notice: INotice): void;
  clear(): void;
}

/** JupyterLab's notifications, and the operating system's while nobody looks at the page. */
export class Toasts implements IShow {
  constructor(private _mayUseDesktop: () => boolean) {}

  show(notices: readonly INotice[]): void {
    const wanted = new Set(notices.map(notice => notice.key));
    for (const [key, id] of this._shown) {
      if (!wanted.has(key)) {
        Notification.dismiss(id);
        this._shown.delete(key);
      }
    }
    for (const notice of notices) {
      // A toast that was closed by hand stays closed.
      if (!this._shown.has(notice.key)) {
        this._shown.set(notice.key, this._emit(notice));
      }
    }
  }

  tell(notice: INotice): void {
    this._emit(notice);
  }

  clear(): void {
    this.show([]);
  }

  private _emit(notice: INotice): string {
    if (this._mayUseDesktop() && document.hidden) {
      showOnDesktop(notice);
    }
    const [first, ...others] = notice.actions ?? [];
    return Notification.emit(notice.text, notice.kind, {
      autoClose: notice.closes ? 10000 : false,
      actions: first
        ? [{ ...first, displayType: 'accent' as const }, ...others]
        : []
    });
  }

  private _shown = new Map<string, string>();
}

/** Ask the browser once whether the operating system may be used. */
export async function askForDesktop(): Promise<void> {
  const { Notification: desktop } = window;
  if (desktop?.permission === 'default') {
    await desktop.requestPermission();
  }
}

function showOnDesktop({ key, text }: INotice): void {
  const { Notification: desktop } = window;
  if (desktop?.permission === 'granted') {
    const shown = new desktop(text, { tag: `qsec:${key}` });
    shown.onclick = () => window.focus();
  }
}
