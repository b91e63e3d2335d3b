import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { localAccount, localRegion } from '../../infra/local/credentials.ts';

/** A server of moto (https://docs.getmoto.org/en/latest/docs/server_mode.html), all services on one port. */
export interface MotoServer {
  url: string;
  stop(): void;
}

/** Why moto cannot run here, or `undefined` when it can. */
export function motoMissing(): string | undefined {
  const found = spawnSync('moto_server', ['--help'], { encoding: 'utf8' });
  if (found.status === 0) return undefined;
  return "moto's server is not on the PATH: pip install 'moto[server]'";
}

/** Starts moto in a process of its own; it keeps everything in memory. */
export async function startMoto(): Promise<MotoServer> {
  const port = await freePort();
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], {
    env: {
      ...process.env,
      MOTO_ACCOUNT_ID: localAccount,
      AWS_DEFAULT_REGION: localRegion,
    },
    stdio: 'ignore',
  });
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (exited) throw new Error('moto ended while it was starting');
    await delay(100);
  }
  return { url, stop: () => child.kill() };
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/moto-api/data.json`).then(
    ({ ok }) => ok,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
