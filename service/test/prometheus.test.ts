import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { budgetOf } from '../../scenarios/budgets.ts';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { parsePrometheus } from '../../loadtest/src/measure/prometheus.ts';
import { startTestApp, type TestApp } from './support/app.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());
const scrape = async () => (await service.call('/metrics')).text();
const promtool = onPath('promtool', process.env);

describe('/metrics', () => {
  it('has an edge of a bucket on every budget that is judged by it', async () => {
    // A histogram with labels has no buckets before its first value.
    await service.call('/healthz');
    const samples = parsePrometheus(await scrape());
    const edges = (name: string) =>
      samples.filter((sample) => sample.name === `${name}_bucket`).map(({ labels }) => labels['le']);
    for (const [metric, budget] of [
      ['segbench_http_request_duration_seconds', 'api_latency_mean_ms'],
      ['segbench_http_request_duration_seconds', 'image_list_p95_ms'],
      ['segbench_db_query_duration_seconds', 'db_query_p95_ms'],
      ['segbench_inference_execution_seconds', 'inference_p95_ms'],
    ] as const)
      expect(edges(metric), `${metric} for ${budget}`).toContain(String(budgetOf(budget).limit / 1000));
  });

  it('names its own metrics by convention: a prefix, a unit, _total for what only grows', async () => {
    const types = [...(await scrape()).matchAll(/^# TYPE (segbench_\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }));
    expect(types.length).toBeGreaterThan(6);
    expect(types.filter(({ name, type }) => (type === 'counter') !== name.endsWith('_total'))).toEqual([]);
    expect(types.filter(({ name, type }) => type === 'histogram' && !name.endsWith('_seconds'))).toEqual([]);
  });

  it('makes no new label values of ids, unknown paths or methods', async () => {
    const values = async () => {
      const own = parsePrometheus(await scrape()).filter(({ name }) => name.startsWith('segbench_'));
      return new Set(own.flatMap(({ labels }) => Object.entries(labels).map(([name, value]) => `${name}=${value}`)));
    };
    const id = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    const send = async (index: number) => {
      await service.call(`/api/images/${id(index)}`);
      await service.call(`/api/images/not-an-id-${index}`);
      await service.call(`/api/nothing/${id(index)}`);
      await service.call(`/elsewhere-${index}?q=${index}`, { method: 'OPTIONS' });
      await service.call(`/api/projects?limit=${index + 1}`);
    };
    await send(0);
    await values();
    const before = await values();
    for (let index = 1; index <= 20; index++) await send(index);
    expect([...(await values())].filter((value) => !before.has(value))).toEqual([]);
    expect([...before]).toContain('route=/api/images/:id');
    expect([...before].filter((value) => /[0-9a-f]{8}-|elsewhere|not-an-id/.test(value))).toEqual([]);
  });

  it.skipIf(promtool === undefined)(
    'is clean for promtool (where there is one: apt-get install prometheus)',
    async () => {
      const check = (input: string) => spawnSync(promtool!, ['check', 'metrics'], { input, encoding: 'utf8' });
      const verdict = check(await scrape());
      expect({ code: verdict.status, says: verdict.stdout + verdict.stderr }).toEqual({ code: 0, says: '' });
      expect(check('# TYPE bad_counter counter\nbad_counter 1\n').status).not.toBe(0);
    },
  );
});
