import type { Extension, Text } from '@codemirror/state';
import { StateEffect, StateField } from '@codemirror/state';
import type { DecorationSet, Tooltip } from '@codemirror/view';
import {
  Decoration,
  EditorView,
  hoverTooltip,
  keymap,
  showTooltip,
  ViewPlugin
} from '@codemirror/view';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILiveFinding, SaveWatcher } from '../saveWatcher';
import { sayServer } from '../serverTexts';
import { findingCard } from './card';
import { rangeOf } from './position';

/** Replaces the marks of an editor; they move with its text until the next. */
const setMarks = StateEffect.define<readonly ILiveFinding[]>();
/** Opens the card of the mark at an offset by the keyboard, or closes it. */
const openCard = StateEffect.define<number | null>();

/** The marks in one editor's text. */
type Spec = { live: ILiveFinding };

/**
 * Squiggles under what a save found, with a card on hover and on request.
 *
 * One extension for each editor: editors come and go while a notebook scrolls.
 */
export function findingMarks(
  cell: object,
  watcher: SaveWatcher,
  trans: TranslationBundle
): Extension {
  const marks = StateField.define<DecorationSet>({
    create: state => decorate(watcher.inSource(cell), state.doc, trans),
    update: (value, transaction) => {
      for (const effect of transaction.effects) {
        if (effect.is(setMarks)) {
          return decorate(effect.value, transaction.newDoc, trans);
        }
      }
      return value.map(transaction.changes);
    },
    provide: field => EditorView.decorations.from(field)
  });

  const cardAt = (
    view: EditorView | { state: EditorView['state'] },
    offset: number
  ): Tooltip | null => {
    const found: ILiveFinding[] = [];
    let from = Infinity;
    let to = -1;
    view.state.field(marks).between(offset, offset, (start, end, value) => {
      found.push((value.spec as Spec).live);
      from = Math.min(from, start);
      to = Math.max(to, end);
    });
    if (found.length === 0) {
      return null;
    }
    return {
      pos: from,
      end: to,
      above: true,
      create: host => ({ dom: findingCard(found, trans, () => close(host)) })
    };
  };

  const card = StateField.define<Tooltip | null>({
    create: () => null,
    update: (value, transaction) => {
      for (const effect of transaction.effects) {
        if (effect.is(openCard)) {
          return effect.value === null
            ? null
            : cardAt(transaction, effect.value);
        }
        if (effect.is(setMarks)) {
          return null;
        }
      }
      return transaction.docChanged ? null : value;
    },
    provide: field => showTooltip.from(field)
  });

  const follower = ViewPlugin.define(view => {
    let shown = watcher.inSource(cell);
    const update = () => {
      const now = watcher.inSource(cell);
      if (now.length > 0 || shown.length > 0) {
        shown = now;
        view.dispatch({ effects: setMarks.of(now) });
      }
    };
    watcher.changed.connect(update);
    return { destroy: () => void watcher.changed.disconnect(update) };
  });

  return [
    marks,
    card,
    follower,
    hoverTooltip((view, offset) => cardAt(view, offset)),
    keymap.of([
      {
        key: 'Escape',
        run: view => view.state.field(card) !== null && close(view)
      }
    ])
  ];
}

/** Open the card at the cursor and put the focus on its first button; false when nothing is marked there. */
export function openCardAtCursor(view: EditorView): boolean {
  view.dispatch({ effects: openCard.of(view.state.selection.main.head) });
  const button = () =>
    document.querySelector<HTMLElement>('.jp-Qsec-card button');
  requestAnimationFrame(() => button()?.focus());
  return button() !== null;
}

function close(view: EditorView): boolean {
  view.dispatch({ effects: openCard.of(null) });
  view.focus();
  return true;
}

function decorate(
  found: readonly ILiveFinding[],
  doc: Text,
  trans: TranslationBundle
): DecorationSet {
  const ranges = found.flatMap(live => {
    const range = rangeOf(live.finding, doc);
    if (!range) {
      return [];
    }
    const { severity, action, title } = live.finding;
    const mark = Decoration.mark({
      class: `jp-Qsec-mark jp-mod-${severity} jp-mod-${action}`,
      attributes: {
        'aria-description': trans.__('Found: %1', sayServer(title, trans))
      },
      live
    });
    return [mark.range(range.from, range.to)];
  });
  return Decoration.set(ranges, true);
}
