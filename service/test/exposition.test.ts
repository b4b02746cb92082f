import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { expose } from '../src/exposition.ts';
import { createMetrics } from '../src/metrics.ts';

function made(): Registry {
  const registry = new Registry();
  const registers = [registry];
  registry.setDefaultLabels({ role: 'test' });
  new Counter({ name: 'a_things_total', help: 'With "quotes"\nand lines.', labelNames: ['path'], registers }).inc(
    { path: 'C:\\x "y"\n' },
    2,
  );
  new Gauge({ name: 'a_level', help: 'A level.', registers }).set(Infinity);
  const histogram = new Histogram<'trace_id'>({
    name: 'a_wait_seconds',
    help: 'A wait.',
    buckets: [0.5, 5],
    enableExemplars: true,
    registers: [],
  });
  registry.registerMetric(histogram);
  histogram.observe({ labels: {}, value: 7, exemplarLabels: { trace_id: 'abc' } });
  return registry;
}

it('writes OpenMetrics with escaped texts, canonical edges and an exemplar even in the last bucket', async () => {
  const { type, body } = await expose(made(), 'application/openmetrics-text; version=1.0.0');
  expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(body.replace(/\d+\.?\d*$(?=\na_wait_seconds_sum)/m, 'NOW')).toBe(
    [
      '# HELP a_things With \\"quotes\\"\\nand lines.',
      '# TYPE a_things counter',
      'a_things_total{path="C:\\\\x \\"y\\"\\n",role="test"} 2',
      '# HELP a_level A level.',
      '# TYPE a_level gauge',
      'a_level{role="test"} +Inf',
      '# HELP a_wait_seconds A wait.',
      '# TYPE a_wait_seconds histogram',
      'a_wait_seconds_bucket{le="0.5",role="test"} 0',
      'a_wait_seconds_bucket{le="5.0",role="test"} 0',
      'a_wait_seconds_bucket{le="+Inf",role="test"} 1 # {trace_id="abc"} 7 NOW',
      'a_wait_seconds_sum{role="test"} 7',
      'a_wait_seconds_count{role="test"} 1',
      '# EOF',
      '',
    ].join('\n'),
  );
});

it('shows nothing, and no 0, of what cannot be read, and shows it again when it can', async () => {
  const metrics = createMetrics('test');
  let value: number | null = null;
  metrics.gauge('a_gauge', 'Read.', async () => value);
  metrics.counter('a_counter_total', 'Read.', () => value);
  const samples = async () => (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('a_'));
  expect(await samples()).toEqual([]);
  value = 3;
  expect(await samples()).toEqual(['a_gauge{role="test"} 3', 'a_counter_total{role="test"} 3']);
  value = null;
  expect(await samples()).toEqual([]);
});

it.each([
  ['*/*', 'text/plain'],
  ['', 'text/plain'],
  ['text/plain;version=0.0.4, application/openmetrics-text;q=0.5', 'text/plain'],
  ['application/openmetrics-text;q=0', 'text/plain'],
  ['Application/OpenMetrics-Text;version=1.0.0,text/plain;q=0.5', 'application/openmetrics-text'],
])('answers Accept: %s with %s', async (accept, expected) => {
  expect((await expose(made(), accept)).type.split(';')[0]).toBe(expected);
});
