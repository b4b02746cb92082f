import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ENDPOINTS } from '../../../scenarios/endpoints.ts';
import { cannon, cannonFailures, whyWeak, type CannonReport } from '../../src/drivers/autocannon.ts';
import { runEndpoints } from '../../src/load/endpoints.ts';
import { withInput } from './kit.ts';

describe('cannon', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  async function against(status: () => number): Promise<CannonReport> {
    server = createServer((request, reply) => {
      request.resume().on('end', () => reply.writeHead(status()).end('0123456789'));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    return await cannon(
      { url, method: 'POST', headers: {}, body: 'x', connections: 2, durationMs: 1000 },
      AbortSignal.timeout(30_000),
    );
  }

  it('counts what was answered, and none as failed', async () => {
    const report = await against(() => 200);
    expect(report.requests).toBeGreaterThan(10);
    expect({ ok: report.ok, failures: cannonFailures(report) }).toEqual({ ok: report.requests, failures: 0 });
    expect(report.bytes / report.requests).toBeGreaterThan(10);
    expect(report.cpuShare).toBeGreaterThan(0);
  });

  it('counts every answer that is not 2xx as failed', async () => {
    let turn = 0;
    const report = await against(() => (turn++ % 2 === 0 ? 200 : 503));
    expect(report.failed['not 2xx']).toBeGreaterThan(3);
    expect(report.ok + cannonFailures(report)).toBe(report.requests);
  });
});

describe('whyWeak', () => {
  const report: CannonReport = {
    requests: 5,
    ok: 5,
    failed: { 'not 2xx': 0, errors: 0, timeouts: 0 },
    bytes: 1,
    tookMs: 1,
    p50Ms: 1,
    p99Ms: 1,
    maxMs: 1,
    cpuShare: 0.5,
  };
  it.each([
    [report, undefined],
    [{ ...report, cpuShare: 0.9 }, 'the generator was busy for 90 % of the time'],
    [{ ...report, requests: 0 }, 'nothing was answered'],
  ])('says why a rate is the generator’s own', (given, why) => {
    expect(whyWeak(given)).toBe(why);
  });
});

it('measures each endpoint: rate, latency, and the CPU that a request costs the API', async () => {
  await withInput(['--scenario', 'endpoints', '--quick', '--count', '40'], {}, async (input) => {
    const phases = { ...ENDPOINTS.phases, warmMs: 200, resultsPerRequest: 40 };
    const { measurements, tables, stopped, delivery } = await runEndpoints({ ...ENDPOINTS, phases }, new Date(), input);
    expect(stopped).toBeUndefined();
    expect(measurements.endpoints_failed_requests?.actual).toBe(0);
    expect(delivery.completed).toBe(40);
    const rows = tables?.[0]?.rows ?? [];
    expect(rows.map(([name]) => name)).toEqual([
      'image list, 50 a page',
      'image',
      'result of one image',
      'results of 40 images, JSON',
      'results of 40 images, binary',
    ]);
    for (const row of rows) expect(Number(row[2])).toBeGreaterThan(0);
    // Counts of bytes: the binary form of the same results is far smaller.
    expect(Number(rows[4]?.[4])).toBeLessThan(Number(rows[3]?.[4]) / 2);
  });
}, 120_000);
