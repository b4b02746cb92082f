import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/usage-error.ts';
import { drawOrder } from '../../src/compare/schedule.ts';
import { resolveRef } from '../../src/compare/side/checkout.ts';
import { listeningPorts, metricsAddresses } from '../../src/compare/side/metrics-addresses.ts';
import { outerEnvironment } from '../../src/compare/side/npm.ts';
import { cpuByRole, readTree } from '../../src/compare/side/tree.ts';
import { createRandom } from '../../src/images/random.ts';
import { createStubRepository } from './stub/repository.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('resolveRef', () => {
  it('finds commits by any name, and says what is wrong with one that is none', async () => {
    const { directory, base } = createStubRepository({});
    folders.push(directory);
    expect(await resolveRef('HEAD~1', directory)).toBe(base);
    await expect(resolveRef('no-such-branch', directory)).rejects.toThrow(UsageError);
    await expect(resolveRef('no-such-branch', directory)).rejects.toThrow(/"no-such-branch" names no commit here/);
    await expect(resolveRef('--help', directory)).rejects.toThrow(UsageError);
    await expect(resolveRef('HEAD', '/')).rejects.toThrow(/is no git repository/);
  });
});

describe('drawOrder', () => {
  it('draws each of the six orders about as often, the same for the same seed', () => {
    const draw = (): string[] => {
      const random = createRandom(1, 1);
      return Array.from({ length: 600 }, () => drawOrder(random).join(' '));
    };
    const counts = Object.values(Object.groupBy(draw(), (order) => order)).map((all) => all?.length ?? 0);
    expect(counts).toHaveLength(6);
    expect(Math.min(...counts)).toBeGreaterThan(70);
    expect(draw()).toEqual(draw());
  });
});

describe('outerEnvironment', () => {
  it('drops what npm, this clone and a shell’s settings would change on one side', () => {
    const env = outerEnvironment({
      PATH: '/a/node_modules/.bin:/usr/bin',
      HOME: '/root',
      npm_lifecycle_event: 'compare',
      npm_config_cache: '/cache',
      NODE_ENV: 'test',
      PLANT: 'slow-list',
      WORKERS: '9',
    });
    expect(env).toEqual({ PATH: '/usr/bin', HOME: '/root', npm_config_cache: '/cache' });
  });
});

describe('metricsAddresses', () => {
  it('reads listening sockets of /proc/net/tcp by inode', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0',
      '   1: 0100007F:A0B0 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0',
    ].join('\n');
    expect([...listeningPorts(text)]).toEqual([['4242', 8080]]);
  });

  it('finds the port of a process that speaks Prometheus, among those that do not', async () => {
    const servers = ['# HELP a b\na 1\n', '{}'].map((body) => createServer((_request, reply) => reply.end(body)));
    const ports = await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((done) =>
            server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
          ),
      ),
    );
    const found = await metricsAddresses([process.pid]);
    for (const server of servers) server.close();
    expect([...found]).toEqual([[process.pid, `http://127.0.0.1:${ports[0]}/metrics`]]);
  });
});

describe('readTree', () => {
  it('counts CPU by role, and keeps the database apart', async () => {
    const tree = await readTree(process.pid, new Map());
    expect(tree[0]).toMatchObject({ pid: process.pid, role: 'supervisor' });
    const sums = cpuByRole([
      { pid: 1, role: 'api', cpuSeconds: 2 },
      { pid: 2, role: 'inference', cpuSeconds: 5 },
      { pid: 3, role: 'inference', cpuSeconds: 6 },
    ]);
    expect(sums).toEqual({ api: 2, inference: 11 });
  });
});
