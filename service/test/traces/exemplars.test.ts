import fastify from 'fastify';
import fp from 'fastify-plugin';
import { afterEach, expect, it } from 'vitest';
import { createMetrics } from '../../src/metrics.ts';
import httpMetrics from '../../src/plugins/http-metrics.ts';
import tracesPlugin from '../../src/plugins/traces.ts';
import type { Traces } from '../../src/traces/traces.ts';

const CALLER = 'c'.repeat(32);
const OWN = 'a'.repeat(32);
const ends: number[] = [];
afterEach(() => void ends.splice(0));

/** Which trace the exemplar of one request names. `own`: of the request's own span; undefined: nothing is traced here. */
async function exemplar(own: string | null | undefined, url = '/api/x'): Promise<string | undefined> {
  const metrics = createMetrics('api');
  const traceparent = own === null || own === undefined ? null : `00-${own}-${'b'.repeat(16)}-01`;
  const traces =
    own === undefined
      ? null
      : ({ request: () => ({ traceparent, end: (status: number) => ends.push(status) }) } as unknown as Traces);
  const app = fastify();
  await app.register(
    fp(async (instance) => void instance.decorate('metrics', metrics).decorate('traces', traces), { name: 'services' }),
  );
  await app.register(httpMetrics);
  await app.register(tracesPlugin);
  for (const path of ['/api/x', '/api/metrics/x']) app.get(path, async () => 'x');
  await app.inject({ url, headers: { traceparent: `00-${CALLER}-${'d'.repeat(16)}-01` } });
  await app.close();
  const { values } = await metrics.httpDuration.get();
  const found = (values as { exemplar?: { labelSet: { trace_id?: string } } | null }[]).flatMap(({ exemplar: one }) =>
    one?.labelSet.trace_id === undefined ? [] : [one.labelSet.trace_id],
  );
  return found[0];
}

it('names the request’s own trace where it is recorded, no trace where it is not, and the caller’s where nothing is traced', async () => {
  expect(await exemplar(OWN)).toBe(OWN);
  expect(await exemplar(null)).toBeUndefined();
  expect(await exemplar(undefined)).toBe(CALLER);
  // of a route that is never traced
  expect(await exemplar(OWN, '/api/metrics/x')).toBe(CALLER);
  expect(ends).toEqual([200, 200]);
});
