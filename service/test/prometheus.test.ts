import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricNames } from '../../grafana/test/expressions.ts';
import { budgetOf } from '../../scenarios/budgets.ts';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { parsePrometheus } from '../../loadtest/src/measure/prometheus.ts';
import { isAlert } from '../../prometheus/src/rule.ts';
import { ruleFiles } from '../../prometheus/src/rules.ts';
import { fakeBackend, fakeStats, insertProject } from './batches/fixture.ts';
import { openSocket } from './events/socket.ts';
import { startPath, type Path } from './roles/path.ts';
import type { RoleHandle } from '../src/roles/role.ts';
import { makeResults } from './support/runs.ts';
import type { TestApp } from './support/app.ts';

/** Two children, one of them at work. */
const WORKERS = ['busy', 'idle'].map((state, index) => ({
  id: `local-${index}`,
  pid: null,
  state: state as 'busy' | 'idle',
  busyMs: 1500,
  busyRatio: 0.5,
  imagesDone: 1,
  restarts: 0,
  rssBytes: 100e6 * (index + 1),
  lastError: null,
}));

let results: Awaited<ReturnType<typeof makeResults>>;
let path: Path;
let relay: RoleHandle;
let worker: RoleHandle;
let service: TestApp;
beforeAll(async () => {
  results = await makeResults();
  path = await startPath({ RESULTS_DIR: results.dir });
  service = path.server;
  relay = await path.relay();
  const { backend } = fakeBackend();
  worker = await path.worker({ ...backend, stats: () => ({ ...fakeStats(), workers: WORKERS }) });
});
afterAll(async () => {
  await path.close();
  await results.remove();
});
const scrape = async (accept = '*/*') => (await service.call('/metrics', { headers: { accept } })).text();
const scrapeRole = async ({ metricsUrl }: RoleHandle) => (await fetch(metricsUrl)).text();
const scrapeAll = async () => [await scrape(), await scrapeRole(relay), await scrapeRole(worker)];
const promtool = onPath('promtool', process.env);
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** A batch of new images, followed by a reader, and what people look at meanwhile. */
async function runBatch(images: number): Promise<void> {
  const { projectId, imageIds } = await insertProject(path.sql, images);
  const reader = await openSocket(service.url, { query: `projectId=${projectId}` });
  const batch = await path.start(projectId);
  await path.ended(batch.id);
  for (const id of imageIds) await service.call(`/api/images/${id}`);
  await service.call(`/api/projects/${projectId}/images`);
  await reader.close();
}
/** Without those of the collector: V8 has four kinds of collection, and some come late. */
const seriesOf = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line) => (line === '' || /^(#|nodejs_gc_)/.test(line) ? [] : [line.slice(0, line.lastIndexOf(' '))]));

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

  it('has as many series after many images as after few', async () => {
    await runBatch(20);
    await scrapeAll();
    const before = (await scrapeAll()).map(seriesOf);
    await runBatch(200);
    const after = (await scrapeAll()).map(seriesOf);
    expect(after.map((series, role) => series.filter((one) => !before[role]!.includes(one)))).toEqual([[], [], []]);
    // of three processes: an image that left one label behind would make it thousands
    expect(after.flat().length).toBeLessThan(2500);
    expect(after.flat().filter((series) => /[0-9a-f]{8}-[0-9a-f]{4}-/.test(series))).toEqual([]);
    const ended = parsePrometheus((await scrapeAll())[1]!).find(
      ({ name, labels }) => name === 'segbench_events_total' && labels['status'] === 'completed',
    );
    expect(ended?.value).toBeGreaterThanOrEqual(220);
  });

  it('has every metric that an alert, a recording rule or a dashboard reads', async () => {
    const types = (await scrapeAll()).flatMap((text) => [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]);
    const exposed = new Set(
      types.flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const rules = Object.values(ruleFiles())
      .flat()
      .flatMap((group) => group.rules);
    const recorded = new Set(rules.flatMap((rule) => (isAlert(rule) ? [] : [rule.record])));
    const folder = join(import.meta.dirname, '../../grafana/dashboards');
    const drawn = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
        ([, text = '']) => JSON.parse(text) as string,
      ),
    );
    const read = [...rules.map(({ expr }) => expr), ...drawn].flatMap(metricNames);
    expect(new Set(read).size).toBeGreaterThan(70);
    // `up` is Prometheus's own
    const missing = read.filter((name) => name !== 'up' && !exposed.has(name) && !recorded.has(name));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('has an edge of a bucket wherever a rule asks for one', async () => {
    await service.call('/healthz');
    const texts = (await scrapeAll()).join('\n');
    const asked = Object.values(ruleFiles())
      .flat()
      .flatMap(({ rules }) => rules.flatMap(({ expr }) => [...expr.matchAll(/(\w+_bucket)\{[^}]*\ble=~?"([^"|]+)/g)]))
      .map(([, metric = '', le = '']) => `${metric} ${le}`);
    expect(new Set(asked).size).toBeGreaterThan(6);
    const there = new Set(parsePrometheus(texts).map(({ name, labels }) => `${name} ${labels['le']}`));
    expect(asked.filter((edge) => !there.has(edge))).toEqual([]);
  });

  it('answers in OpenMetrics with the trace of a request, and in plain text as before', async () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    await service.call('/api/projects', { headers: { traceparent } });
    await service.call('/api/projects', { headers: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } });
    const reply = await service.call('/metrics', { headers: { accept: OPEN_METRICS } });
    expect(reply.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const text = await reply.text();
    expect(text.endsWith('# EOF\n')).toBe(true);
    const exemplars = text.split('\n').filter((line) => line.includes(' # {'));
    expect(exemplars.length).toBeGreaterThan(0);
    for (const line of exemplars)
      expect(line).toMatch(
        /^segbench_http_request_duration_seconds_bucket\{.*\} \d+ # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} [\d.e-]+ [\d.]+$/,
      );
    expect(exemplars.some((line) => line.includes('route="/api/projects"'))).toBe(true);
    expect(text).toMatch(/^# TYPE segbench_cache_requests counter$/m);
    expect(text).toMatch(/^segbench_connections_refused_total\{role="api"\} 0$/m);
    expect(text).toContain('le="5.0"');
    // the same registry, and nothing of the other format stays
    const plain = await scrape();
    expect(plain).toMatch(/^# TYPE segbench_cache_requests_total counter$/m);
    expect(plain).not.toContain(TRACE);
    expect((await service.call('/metrics')).headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await (await fetch(worker.metricsUrl, { headers: { accept: OPEN_METRICS } })).text()).toContain('# EOF');
  });

  it('says what is used of what there is: pool, database, sockets, disk, Redis, budgets, build, bench', async () => {
    const values = new Map(
      (await scrapeAll()).flatMap(parsePrometheus).map(({ name, labels, value }) => {
        const { role, ...rest } = labels;
        return [role === undefined ? '' : `${name}${JSON.stringify(rest)}`, value];
      }),
    );
    const of = (name: string, labels: Record<string, string> = {}) => values.get(`${name}${JSON.stringify(labels)}`);
    expect(of('segbench_inference_workers', { state: 'busy' })).toBe(1);
    expect(of('segbench_inference_busy_seconds_total')).toBe(3);
    expect(of('segbench_inference_largest_worker_bytes')).toBe(200e6);
    expect(of('segbench_worker_active_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 600);
    expect(of('segbench_worker_images_held')).toBe(0);
    expect(of('segbench_workers_reporting')).toBe(1);
    expect(of('segbench_queue_depth')).toBe(0);
    expect(of('segbench_queue_oldest_job_age_seconds')).toBe(0);
    expect(of('segbench_db_connections_busy')).toBeGreaterThanOrEqual(0);
    expect(of('segbench_postgres_size_bytes')).toBeGreaterThan(1e6);
    expect(of('segbench_postgres_connections')).toBeLessThan(of('segbench_postgres_connections_limit')!);
    for (const server of ['queue', 'cache']) {
      const used = of('segbench_redis_memory_used_bytes', { server });
      expect(used).toBeGreaterThan(100_000);
      expect(used).toBeLessThan(of('segbench_redis_memory_limit_bytes', { server })!);
    }
    expect(of('segbench_storage_free_bytes')).toBeLessThan(of('segbench_storage_size_bytes')!);
    expect(of('segbench_sockets_limit')).toBe(4000);
    expect(of('segbench_budget_limit', { budget: 'ui_settle_ms', unit: 'ms', operator: '<' })).toBe(2000);
    expect(of('segbench_build_info', { version: '0.1.0', node: process.versions.node })).toBe(1);
    const run = { scenario: 'bulk-1000', client: 'optimized' };
    expect(of('segbench_bench_budget_actual', { ...run, budget: 'ui_settle_ms', unit: 'ms' })).toBe(302);
    expect(of('segbench_bench_budget_ok', { ...run, budget: 'toasts', unit: 'count' })).toBe(1);
    expect(of('segbench_bench_finished_timestamp_seconds', run)).toBe(Date.parse('2026-03-02T09:31:30Z') / 1000);
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
      for (const text of await scrapeAll()) {
        const verdict = check(text);
        expect({ code: verdict.status, says: verdict.stdout + verdict.stderr }).toEqual({ code: 0, says: '' });
      }
      expect(check('# TYPE bad_counter counter\nbad_counter 1\n').status).not.toBe(0);
    },
  );
});
