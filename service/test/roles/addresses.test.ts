import { readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../../loadtest/src/environment/ports.ts';
import { DECIDED_SETTINGS } from '../../../loadtest/src/cli/start-options.ts';
import type { Service } from '../../src/supervise.ts';
import { startWholeService, type WholeService } from '../support/whole-service.ts';

let service: WholeService | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});
const start = async (env: Record<string, string>): Promise<WholeService> => (service = await startWholeService(env));

const HEX_LOOPBACK = '0100007F';
/** Local addresses, in the kernel's hexadecimal, on which somebody listens on the port (proc(5), `/proc/net/tcp`). */
async function listenersOn(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const found = tables.flatMap((table) =>
    table
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, , state]) =>
          state === '0A' && local?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`),
      )
      .map(([, local]) => local!.split(':')[0]!),
  );
  // A service has several sockets on its address.
  return [...new Set(found)];
}
const portsOf = ({ url, processes }: Service) =>
  [url, ...processes.map(({ metricsUrl }) => metricsUrl)].map((address) => Number(new URL(address).port));

it('the service listens on the loopback address alone, with all its ports, unless it is told otherwise', async () => {
  const started = await start({});
  for (const port of portsOf(started)) expect([port, await listenersOn(port)]).toEqual([port, [HEX_LOOPBACK]]);
});

it('HOST tells it otherwise, for its pages and not for its figures; npm start passes it on', async () => {
  expect(DECIDED_SETTINGS).not.toContain('HOST');
  const [page, ...figures] = portsOf(await start({ HOST: '0.0.0.0' }));
  expect(await listenersOn(page!)).toEqual(['00000000']);
  for (const port of figures) expect([port, await listenersOn(port)]).toEqual([port, [HEX_LOOPBACK]]);
});

it('METRICS_PORT is where the first API process tells its figures; npm start passes it on', async () => {
  expect(DECIDED_SETTINGS).not.toContain('METRICS_PORT');
  const port = await freePort();
  const { processes } = await start({ METRICS_PORT: String(port) });
  expect(processes.map(({ metricsUrl }) => Number(new URL(metricsUrl).port) === port)).toEqual([true, false, false]);
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('segbench_');
});
