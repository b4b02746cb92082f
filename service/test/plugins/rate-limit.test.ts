import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RATE_LIMITS } from '../../src/plugins/rate-limit.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ RATE_LIMITS: 'on' });
});
afterAll(() => service.close());

describe('rate limits', () => {
  it('answers 429 with the time to wait over the limit, for that kind of request only', async () => {
    const { sql, cache, config } = service.app;
    const [key] = await sql<{ id: string }[]>`select id from api_keys`;
    const window = Math.floor(Date.now() / 60_000);
    // Both windows that the requests may fall into are full.
    for (const at of [window, window + 1])
      await cache.redis.set(`${config.queuePrefix}:rate:${key!.id}:requests:${at}`, RATE_LIMITS.requests, 'EX', 120);
    const refused = await service.call('/api/projects');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await service.call('/api/images/00000000-0000-4000-8000-000000000001/segmentation')).status).toBe(404);
  });
});
