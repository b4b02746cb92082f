import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSocket } from '../events/socket.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

/** A route that takes 1.5 s, so that requests meet. */
const SLOW = '/api/images/00000000-0000-4000-8000-000000000001';
const env = { PLANT: 'slow-detail', MAX_REQUESTS: '8', MAX_UPLOADS: '1' };
let service: TestApp;
const start = async (more: Record<string, string> = {}) => void (service = await startTestApp({ ...env, ...more }));
afterEach(() => service.close());

const crowd = (count: number) => Array.from({ length: count }, () => service.call(SLOW));
const countOf = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

describe('a process with more to do than it bears', () => {
  beforeEach(() => start());

  it('refuses what is over at once with 503 and Retry-After, and answers the rest', async () => {
    const shed = async () => {
      const lines = (await (await service.call('/metrics')).text()).match(/^segbench_shed_requests_total\{.*$/gm) ?? [];
      return lines.map((line) => Number(line.slice(line.lastIndexOf(' '))));
    };
    // from the start, or the first ones would be in no rate
    expect(await shed()).toEqual([0, 0, 0, 0, 0, 0]);
    const replies = await Promise.all(crowd(20));
    const statuses = replies.map(({ status }) => status);
    expect([countOf(statuses, 404), countOf(statuses, 503)]).toEqual([8, 12]);
    const refused = replies.find(({ status }) => status === 503)!;
    expect(refused.headers.get('retry-after')).toMatch(/^[12]$/);
    expect(await refused.json()).toMatchObject({ code: 'OVERLOADED', statusCode: 503 });
    const scrape = await (await service.call('/metrics')).text();
    expect(scrape).toMatch(/segbench_shed_requests_total\{[^}]*reason="open"[^}]*\} 12/);
    expect(await shed()).toHaveLength(6);
    expect(scrape).toMatch(/segbench_admission_open\{[^}]*\} 0/);
  });

  it('still says how it is, takes sockets, and has room for an upload', async () => {
    const made = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
    const { id } = (await made.json()) as { id: string };
    const waiting = crowd(20);
    const held = await Promise.race(waiting);
    expect(held.status).toBe(503);
    const asked = ['/healthz', '/readyz', '/metrics', '/api/metrics/health', '/api/metrics/summary', '/api/now'];
    const statuses = await Promise.all(asked.map(async (path) => (await service.call(path)).status));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    const reader = await openSocket(service.url, { query: `projectId=${id}` });
    expect(reader.hello()?.projectId).toBe(id);
    await reader.close();
    const body = new FormData();
    body.append('files', new Blob(['x']), 'x.png');
    // let in, and then found to be no image
    expect((await service.call(`/api/projects/${id}/images`, { method: 'POST', body })).status).toBe(400);
    await Promise.all(waiting);
  });
});

it('takes everything on when shedding is off', async () => {
  await start({ LOAD_SHEDDING: 'off' });
  const statuses = (await Promise.all(crowd(20))).map(({ status }) => status);
  expect(countOf(statuses, 404)).toBe(20);
});
