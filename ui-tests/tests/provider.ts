import type { ChildProcess } from 'child_process';
import { spawn } from 'child_process';
import { once } from 'events';
import { mkdirSync, readFileSync } from 'fs';
import { join, resolve } from 'path';

/** What a sandbox says of itself when it is ready. */
interface IHello {
  iam: string;
  runtime: string;
  search: string;
  catalog: string;
  instances: Record<string, string>;
  api_key_file: string;
}

/** `qsec sandbox`: a simulated provider in a process of its own, with a catalogue entry that leads to it. */
export class Provider {
  async start(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const qsec = resolve(__dirname, '../../.venv/bin/qsec');
    this._process = spawn(
      qsec,
      [
        'sandbox',
        '--with-parent',
        '--api-key-file',
        join(folder, 'key'),
        '--admin-token-file',
        join(folder, 'admin')
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] }
    );
    const { stdout } = this._process;
    let line = '';
    while (stdout && !line.endsWith('\n')) {
      const [piece] = (await once(stdout, 'data')) as [Buffer];
      line += piece.toString();
    }
    this._hello = JSON.parse(line);
  }

  async stop(): Promise<void> {
    const child = this._process;
    this._process = null;
    if (child && child.exitCode === null) {
      const gone = once(child, 'exit');
      child.stdin?.end();
      await gone;
    }
  }

  get key(): string {
    return readFileSync(this._hello.api_key_file, 'utf8').trim();
  }

  /** A target whose jobs go by the gateway. */
  get entry(): string {
    const { iam, runtime, search, catalog, instances } = this._hello;
    return `
[targets.ibm]
title = "IBM through the gateway"
provider = "ibm"
tier = "proxy"
approval = "auto"
max_duration = "8h"
default_duration = "1h"
source = { engine = "kv-v2", path = "targets/ibm", field = "token" }
backends = ["sandbox_*"]
price = { currency = "USD", per_job = 1.5, per_shot = 0.001 }
[targets.ibm.envelope]
max_shots = 1000
[targets.ibm.envelope.quota.user]
jobs = 3
[targets.ibm.gateway]
provider = "ibm"
instance = "${instances['sandbox-open']}"
hide = true
[targets.ibm.gateway.addresses]
iam = "${iam}"
runtime = "${runtime}"
search = "${search}"
catalog = "${catalog}"
`;
  }

  private _process: ChildProcess | null = null;
  private _hello!: IHello;
}
