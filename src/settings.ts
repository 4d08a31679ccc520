import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { PLUGIN_ID } from './ids';

/** What a user can set. The names are those of `schema/plugin.json`. */
export interface ISettings {
  /** Seconds that the server may hold a poll back. */
  pollWait: number;
  /** Minutes left at which a grant is said to end soon; none turns the warnings off. */
  expiryWarnings: readonly number[];
  /** Tell of requests that wait for this person. */
  notifyApprovals: boolean;
  /** Tell what became of one's own requests. */
  notifyDecisions: boolean;
  /** Tell of locks, and of a store or server that is away. */
  notifyTroubles: boolean;
  /** Show the same through the operating system while the page is out of sight. */
  notifyDesktop: boolean;
  /** Show less of each item. */
  compact: boolean;
}

/** What holds while no registry is there, as in the schema. */
export const DEFAULTS: ISettings = {
  pollWait: 20,
  expiryWarnings: [10, 2],
  notifyApprovals: true,
  notifyDecisions: true,
  notifyTroubles: true,
  notifyDesktop: false,
  compact: false
};

/** The settings that hold now. */
export class QsecSettings {
  get now(): ISettings {
    return this._now;
  }

  /** Emitted when they changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Follow the registry from now on. */
  async follow(
    registry: ISettingRegistry,
    trans: TranslationBundle
  ): Promise<void> {
    translateSchema(registry, trans);
    const settings = await registry.load(PLUGIN_ID);
    const read = () => {
      this._now = { ...DEFAULTS, ...(settings.composite as object) };
      this._changed.emit();
    };
    settings.changed.connect(read);
    read();
  }

  private _now = DEFAULTS;
  private _changed = new Signal<this, void>(this);
}

/** Jupyter translates a schema from language packs only, so this package's own words go in when it is fetched. */
function translateSchema(
  registry: ISettingRegistry,
  trans: TranslationBundle
): void {
  registry.transform(PLUGIN_ID, {
    fetch: plugin => {
      const { schema } = plugin;
      for (const part of [schema, ...Object.values(schema.properties ?? {})]) {
        /* eslint-disable jupyter/no-dynamic-translation -- the words stand in schema/plugin.json; a test compares */
        part.title = part.title && trans.__(part.title);
        part.description = part.description && trans.__(part.description);
        /* eslint-enable jupyter/no-dynamic-translation */
      }
      return plugin;
    }
  });
}
