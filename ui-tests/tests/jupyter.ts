import type { ChildProcess } from 'child_process';
import { spawn } from 'child_process';
import { once } from 'events';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync
} from 'fs';
import { createServer } from 'net';
import type { AddressInfo } from 'net';
import { tmpdir } from 'os';
import { delimiter, join, resolve } from 'path';

const HERE = resolve(__dirname, '..');
const START_SECONDS = 60;

/** A JupyterLab with the extension as it is installed, its own state folder, and a control plane of its own. */
export class Jupyter {
  readonly folder = mkdtempSync(join(tmpdir(), 'qsec-ui-'));
  readonly root = join(this.folder, 'notebooks');
  url = '';

  /**
   * With a token, the server keeps authentication and XSRF checks on, as a user's does. Sealed, it has the
   * embedded store, whichever else is there: only that takes a value from the panel.
   */
  constructor(
    readonly token = '',
    readonly sealed = false
  ) {}

  async start(): Promise<void> {
    this._port = this._port || (await freePort());
    this.url = `http://127.0.0.1:${this._port}`;
    for (const name of ['notebooks', 'workspaces', 'home']) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    this.set('@jupyterlab/apputils-extension', 'notification', {
      fetchNews: 'false',
      checkForUpdates: false
    });
    const log = createWriteStream(join(this.folder, 'server.log'), {
      flags: 'a'
    });
    this._process = spawn(
      jupyter(),
      ['lab', '--config', 'jupyter_server_test_config.py'],
      {
        cwd: HERE,
        env: this._environment(),
        stdio: ['ignore', 'pipe', 'pipe']
      }
    );
    this._process.stdout?.pipe(log);
    this._process.stderr?.pipe(log);
    await this._answers();
  }

  /** End it as a user does, and wait until it is gone. */
  async stop(): Promise<void> {
    const child = this._process;
    this._process = null;
    if (child && child.exitCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async clean(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private _environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...(this.sealed ? { VAULT_ADDR: '', PATH: withoutVault() } : {}),
      QSEC_HOME: join(this.folder, 'home'),
      // Whose name the pictures in the README show.
      LOGNAME: 'ada',
      QSEC_UI_TOKEN: this.token,
      QSEC_UI_PORT: String(this._port),
      QSEC_UI_ROOT: this.root,
      QSEC_UI_WORKSPACES: join(this.folder, 'workspaces'),
      JUPYTERLAB_SETTINGS_DIR: join(this.folder, 'settings'),
      JUPYTER_CONFIG_DIR: join(this.folder, 'config'),
      JUPYTER_DATA_DIR: join(this.folder, 'data'),
      JUPYTER_RUNTIME_DIR: join(this.folder, 'runtime'),
      IPYTHONDIR: join(this.folder, 'ipython')
    };
  }

  /** Write a user's settings of one plugin, before the start. */
  set(extension: string, plugin: string, settings: object): void {
    const folder = join(this.folder, 'settings', extension);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${plugin}.jupyterlab-settings`),
      JSON.stringify(settings)
    );
  }

  private async _answers(): Promise<void> {
    const end = Date.now() + START_SECONDS * 1000;
    while (Date.now() < end) {
      if (this._process?.exitCode !== null) {
        throw new Error(`Jupyter ended at once; see ${this.folder}/server.log`);
      }
      const answer = await fetch(`${this.url}/qsec/version`, {
        headers: this.token ? { Authorization: `token ${this.token}` } : {}
      }).catch(() => null);
      if (answer?.ok) {
        return;
      }
      await new Promise(next => setTimeout(next, 250));
    }
    throw new Error(`Jupyter did not answer in ${START_SECONDS} s`);
  }

  private _port = 0;
  private _process: ChildProcess | null = null;
}

function jupyter(): string {
  const own = resolve(HERE, '..', '.venv', 'bin', 'jupyter');
  return existsSync(own) ? own : 'jupyter';
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The path of commands without folders that hold a Vault or OpenBao. */
function withoutVault(): string {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder =>
      ['vault', 'bao'].every(name => !existsSync(join(folder, name)))
    )
    .join(delimiter);
}
