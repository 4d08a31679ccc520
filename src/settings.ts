import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { PLUGIN_ID } from './ids';

/** What a user can set; the defaults hold while no registry is there. */
export class QsecSettings {
  /** Seconds that the server may hold a poll back. */
  pollWait = 20;
  /** Minutes left from which a grant is shown and announced as ending soon. */
  expiryWarningMinutes = 5;
  /** Whether to notify when a request waits for this person. */
  notifyApprovals = true;

  /** Follow the registry from now on. */
  async follow(registry: ISettingRegistry, applied: () => void): Promise<void> {
    const settings = await registry.load(PLUGIN_ID);
    const read = () => {
      const { composite } = settings;
      this.pollWait = composite.pollWait as number;
      this.expiryWarningMinutes = composite.expiryWarningMinutes as number;
      this.notifyApprovals = composite.notifyApprovals as boolean;
      applied();
    };
    settings.changed.connect(read);
    read();
  }
}
