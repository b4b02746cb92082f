import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy, targetOf, through as by, type Proxy } from '../faults/proxy.ts';
import type { ProofFault } from './records.ts';

const STALL_MS = 3_000;

/** The way of events to the client, in the harness's hand: a TCP proxy for each server that they come from. */
export function createLine() {
  const proxies = new Map<string, Promise<Proxy>>();
  let healing: AbortController | undefined;

  return {
    async through(url: string): Promise<string> {
      const { protocol, host } = new URL(url);
      if (protocol !== 'http:' && protocol !== 'ws:')
        throw new Error(
          `the line of events is plain TCP and cannot carry ${protocol}//${host}, whose certificate is that of its own name: give the adapter a function cut(), or run with --fault none`,
        );
      let proxy = proxies.get(host);
      if (proxy === undefined) {
        proxy = startProxy(targetOf(url.replace(/^ws/, 'http')));
        proxies.set(host, proxy);
      }
      return by(url, await proxy);
    },
    /** Breaks the line in the way that is asked for. @returns how many connections it met */
    async strike(fault: Exclude<ProofFault, 'none'>): Promise<number> {
      const all = await Promise.all(proxies.values());
      if (fault === 'cut') return all.reduce((sum, proxy) => sum + proxy.cut(), 0);
      for (const proxy of all) proxy.blackHole(true);
      const { signal } = (healing = new AbortController());
      void sleep(STALL_MS, undefined, { signal })
        .catch(() => {})
        .then(() => all.forEach((proxy) => proxy.blackHole(false)));
      return all.reduce((sum, proxy) => sum + proxy.connections(), 0);
    },
    async close(): Promise<void> {
      healing?.abort();
      for (const proxy of await Promise.all(proxies.values())) await proxy.close();
    },
  };
}
export type Line = ReturnType<typeof createLine>;
