import type { GalataOptions } from '@jupyterlab/galata';
import type { PlaywrightTestConfig } from '@playwright/test';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- Galata publishes it as CommonJS
const base = require('@jupyterlab/galata/lib/playwright-config');

const isRoot = process.getuid?.() === 0;

const config: PlaywrightTestConfig<Partial<GalataOptions>> = {
  ...base,
  testDir: 'tests',
  timeout: 150_000,
  expect: { timeout: 30_000 },
  // One real server with one control plane, and two cores to run it on.
  workers: 1,
  retries: process.env.CI ? 1 : 0,
  reporter: [['list']],
  use: {
    ...base.use,
    // The tests open what they need themselves, and settings and workspace are the server's own.
    autoGoto: false,
    mockConfig: false,
    mockSettings: false,
    mockState: false,
    mockUser: false,
    viewport: { width: 1366, height: 900 },
    // A recording wants a codec that a distribution's Chromium does not bring.
    video: 'off',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        ...(isRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  }
};

export default config;
