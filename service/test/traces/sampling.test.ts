import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createMetrics } from '../../src/metrics.ts';
import { headersOf } from '../../src/traces/otel.ts';
import { createTraces } from '../../src/traces/traces.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = (flags: string) => ({ traceparent: `00-${TRACE}-00f067aa0ba902b7-${flags}` });
const NONE = {};

/** Where a request's span lies: in the caller's trace, in a new one, or nowhere. Nothing is sent: no span ends. */
async function placed(env: Record<string, string>, ...requests: Record<string, string>[]): Promise<string[]> {
  const config = loadConfig({
    DATABASE_URL: 'postgres://x',
    QUEUE_REDIS_URL: 'redis://x',
    CACHE_REDIS_URL: 'redis://x',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    ...env,
  });
  const traces = await createTraces(config, createMetrics('api'));
  return requests.map((headers) => {
    const { traceparent } = traces!.request('GET /x', headers, {});
    if (traceparent === null) return 'nowhere';
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    return traceparent.includes(TRACE) ? 'caller’s' : 'new';
  });
}

describe('which requests are recorded', () => {
  it.each([
    [{}, ['caller’s', 'nowhere', 'new']],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, ['caller’s', 'nowhere', 'nowhere']],
    [
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      ['caller’s', 'nowhere', 'nowhere'],
    ],
    [{ OTEL_TRACES_SAMPLER: 'always_on' }, ['caller’s', 'caller’s', 'new']],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, ['nowhere', 'nowhere', 'nowhere']],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' }, ['caller’s', 'caller’s', 'new']],
  ] as [Record<string, string>, string[]][])(
    'by %o: those of callers who are sampled, of callers who are not, and others',
    async (env, where) => {
      expect(await placed(env, parent('01'), parent('00'), NONE)).toEqual(where);
    },
  );

  it('are those of a share of all traces where a share is asked for', async () => {
    const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    const where = await placed(env, ...Array.from({ length: 2_000 }, () => NONE));
    const share = where.filter((one) => one === 'new').length / where.length;
    // by the binomial distribution outside of this once in ten million runs
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });

  it('begin a trace of their own where the caller’s place is not one (W3C Trace Context, 3.2)', async () => {
    const wrong = [
      '',
      'x',
      `00-${TRACE}-00f067aa0ba902b7`,
      `ff-${TRACE}-00f067aa0ba902b7-01`,
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`,
      `00-${TRACE}-00f067aa0ba902b7-01-more`,
    ].map((traceparent) => ({ traceparent }));
    expect(new Set(await placed({}, ...wrong))).toEqual(new Set(['new']));
  });
});

it('reads the collector’s headers as the specification writes them', () => {
  expect(headersOf('')).toEqual({});
  expect(headersOf('api-key=abc, x-scope = a%20b%2Cc ,,q=1=2')).toEqual({
    'api-key': 'abc',
    'x-scope': 'a b,c',
    q: '1=2',
  });
});
