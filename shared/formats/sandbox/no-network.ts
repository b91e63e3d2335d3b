import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * Importing this takes the network away from its process, because Node 24's permission model cannot.
 * Everything built on sockets (http, tls, fetch, WebSocket) ends up in the functions replaced here.
 * Attempts are recorded, so that a test can prove that there were none.
 */

/** What was refused since the last `takeRefusals`, such as `net.connect`. */
const refusals: string[] = [];

/** Returns the refused attempts since the last call. */
export function takeRefusals(): string[] {
  return refusals.splice(0);
}

function refuse(name: string): () => never {
  return () => {
    refusals.push(name);
    throw Object.assign(new Error(`a converter must not use the network (${name})`), {
      code: 'ERR_NETWORK_REFUSED',
    });
  };
}

function replace(target: object, prefix: string, names: Iterable<string>): void {
  for (const name of names) {
    const old = Object.getOwnPropertyDescriptor(target, name);
    if (typeof old?.value !== 'function') continue;
    Object.defineProperty(target, name, { ...old, value: refuse(`${prefix}.${name}`) });
  }
}

const lookups = Object.keys(dns).filter((name) => /^(?:lookup|resolve|reverse)/.test(name));
replace(net.Socket.prototype, 'net', ['connect']);
replace(net.Server.prototype, 'net', ['listen']);
replace(dgram.Socket.prototype, 'dgram', ['bind', 'connect', 'send']);
replace(dns, 'dns', lookups);
replace(dns.promises, 'dns', lookups);
replace(dns.Resolver.prototype, 'dns', Object.getOwnPropertyNames(dns.Resolver.prototype));
replace(globalThis, 'globalThis', ['fetch', 'WebSocket', 'EventSource']);
syncBuiltinESMExports();
