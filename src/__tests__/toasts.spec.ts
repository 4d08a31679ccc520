import { Notification } from '@jupyterlab/apputils';

import type { INotice } from '../toasts';
import { Toasts } from '../toasts';

const notice = (key: string): INotice => ({ key, kind: 'info', text: key });
const texts = () =>
  Notification.manager.notifications.map(one => one.message).sort();

describe('Toasts', () => {
  afterEach(() => Notification.dismiss());

  it('shows each notice once, and takes away what no longer holds', () => {
    const toasts = new Toasts(() => false);
    toasts.show([notice('a'), notice('b')]);
    toasts.show([notice('a'), notice('b')]);
    expect(texts()).toEqual(['a', 'b']);
    toasts.show([notice('b')]);
    expect(texts()).toEqual(['b']);
    toasts.clear();
    expect(texts()).toEqual([]);
  });

  it('leaves closed what was closed by hand', () => {
    const toasts = new Toasts(() => false);
    toasts.show([notice('a')]);
    Notification.dismiss();
    toasts.show([notice('a')]);
    expect(texts()).toEqual([]);
  });

  it('uses the desktop only when it may, while the page is hidden', () => {
    const shown: string[] = [];
    class Desktop {
      static permission = 'granted';
      constructor(text: string) {
        shown.push(text);
      }
    }
    Object.assign(window, { Notification: Desktop });
    const hidden = jest.spyOn(document, 'hidden', 'get');
    hidden.mockReturnValue(true);
    new Toasts(() => false).tell(notice('unwanted'));
    new Toasts(() => true).tell(notice('wanted'));
    hidden.mockReturnValue(false);
    new Toasts(() => true).tell(notice('in sight'));
    hidden.mockRestore();
    expect(shown).toEqual(['wanted']);
  });
});
