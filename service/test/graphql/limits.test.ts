import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { COMPLEXITY_PER_REQUEST, requestsFor } from '../../src/graphql/limits.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ask, newKey, newScene } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  // The minute stands still: no test runs over into the next.
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 60_000) * 60_000 + 30_000 });
  service = await startTestApp({ RATE_LIMITS: 'on', RATE_REQUESTS: '40', RATE_EXPORTS: '2', RATE_ADDRESS: '10000' });
});
afterAll(async () => {
  await service.close();
  vi.useRealTimers();
});

const PAGE = '{ projects(pagination: { limit: 500 }) { items { id } } }';

describe('what an operation costs', () => {
  it('is told, and is the same however many there are', async () => {
    const { token } = await newKey(service, ['read']);
    const { extensions } = await ask(service, PAGE, {}, { key: token });
    // the field's own 5, and 500 times items and id
    expect(extensions).toEqual({ cost: { complexity: 5 + 500 * 2, requests: 11 } });
    const small = await ask(service, '{ me { name } }', {}, { key: token });
    expect(small.extensions).toEqual({ cost: { complexity: 2, requests: 1 } });
  });

  it('is one request for every 100, and never none', () => {
    expect([0, 1, COMPLEXITY_PER_REQUEST, COMPLEXITY_PER_REQUEST + 1].map(requestsFor)).toEqual([1, 1, 1, 2]);
  });

  it('is taken from the key’s minute as so many requests, and refused whole with 429 when it does not fit', async () => {
    const { token } = await newKey(service, ['read']);
    const left = (answer: { headers: Headers }) => Number(answer.headers.get('ratelimit-remaining'));
    const first = await ask(service, PAGE, {}, { key: token });
    expect([first.status, left(first)]).toEqual([200, 40 - 11]);
    expect(first.headers.get('ratelimit')).toContain(`;r=${40 - 11}`);
    expect(left(await ask(service, PAGE, {}, { key: token }))).toBe(40 - 22);
    expect(left(await ask(service, PAGE, {}, { key: token }))).toBe(40 - 33);
    const over = await ask(service, PAGE, {}, { key: token });
    expect([over.status, over.code, over.data]).toEqual([429, 'RATE_LIMITED', undefined]);
    const wait = Number(over.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(over.errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', statusCode: 429, retryAfterSeconds: wait } },
    ]);
    expect(over.headers.get('ratelimit-limit')).toBe('40');
    // only the request itself was counted: what is left still does for small ones, here and over the other routes
    const small = await ask(service, '{ me { name } }', {}, { key: token });
    expect([small.status, left(small)]).toEqual([200, 40 - 33 - 2]);
    expect(left(await service.call('/api/session', { key: token }))).toBe(40 - 33 - 3);
  });

  it('counts each change as a request, however many aliases it hides behind', async () => {
    const { token } = await newKey(service, ['write']);
    const many = Array.from({ length: 12 }, (_, index) => `a${index}: createProject(input: { name: "p" }) { id }`);
    const { extensions, status } = await ask(service, `mutation { ${many.join(' ')} }`, {}, { key: token });
    expect([status, extensions!.cost.requests]).toEqual([200, 13]);
    const ids = Array.from({ length: 50 }, () => '01980000-0000-7000-8000-0000000000ff');
    const query = 'mutation ($ids: [ID!]!) { deleteImages(ids: $ids) { missing } }';
    expect((await ask(service, query, { ids }, { key: token })).status).toBe(429);
  });

  it('counts exports by their own limit as well', async () => {
    const { batchId } = await newScene(service, [1]);
    const { token } = await newKey(service, ['read']);
    const make = (times: number) =>
      `mutation { ${Array.from({ length: times }, (_, index) => `a${index}: createExport(batchId: "${batchId}", format: csv) { id }`).join(' ')} }`;
    expect((await ask(service, make(3), {}, { key: token })).code).toBe('RATE_LIMITED');
    expect((await ask(service, make(2), {}, { key: token })).status).toBe(200);
    const { status, message } = await ask(service, make(1), {}, { key: token });
    expect([status, message]).toEqual([429, expect.stringContaining('over 2 exports a minute')]);
  });
});
