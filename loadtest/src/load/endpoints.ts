import { addressOf } from '#contract/client.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { EndpointsScenario } from '../../../scenarios/scenario.ts';
import type { ReportTable, RunData } from '../contract.ts';
import { cannon, cannonFailures, whyWeak, type CannonReport, type CannonTask } from '../drivers/autocannon.ts';
import { cpuBetween } from '../measure/processes.ts';
import type { RunInput } from '../run/run-input.ts';
import { runLoad, type Load } from './load-run.ts';
import { countEnded, seedProject } from './simulated.ts';
import { awaitBatch, startBatch } from './traffic.ts';

const SIDE = 256;

export function runEndpoints(scenario: EndpointsScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: scenario.phases.imageMs };
  return runLoad({ scenario, plan, startedAt, input }, (load) => endpoints(scenario, load));
}

interface Endpoint {
  name: string;
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}
interface Measured {
  name: string;
  report: CannonReport;
  apiCpuMs: number;
  databaseCpuMs: number | null;
}

function endpointsOf(
  { pageSize, resultsPerRequest }: EndpointsScenario['phases'],
  { projectId, imageIds }: { projectId: string; imageIds: readonly string[] },
): Endpoint[] {
  const [id = ''] = imageIds;
  const results = addressOf('POST /api/segmentation/batch/results');
  const ids = imageIds.slice(0, resultsPerRequest);
  const body = JSON.stringify({ imageIds: ids });
  const bulk = (form: string, accept: string): Endpoint => ({
    name: `results of ${ids.length} images, ${form}`,
    method: 'POST',
    path: results,
    headers: { accept, 'content-type': 'application/json' },
    body,
  });
  const list = { path: { id: projectId }, query: { limit: pageSize } };
  return [
    { name: `image list, ${pageSize} a page`, method: 'GET', path: addressOf('GET /api/projects/{id}/images', list) },
    { name: 'image', method: 'GET', path: addressOf('GET /api/images/{id}', { path: { id } }) },
    {
      name: 'result of one image',
      method: 'GET',
      path: addressOf('GET /api/images/{id}/segmentation', { path: { id } }),
    },
    bulk('JSON', 'application/json'),
    bulk('binary', POLYGONS_MIME),
  ];
}

async function endpoints({ phases }: EndpointsScenario, load: Load): Promise<void> {
  const { input, fleet, sampler, signal } = load;
  const images = input.options.count ?? phases.resultsPerRequest;
  load.images = images;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const project = await load.phase('results to read', async () => {
    const seeded = await seedProject(fleet.sql, { name: 'endpoints', images, side: SIDE, seed: input.options.seed });
    await awaitBatch(load, (await startBatch(target, seeded.projectId)).id);
    return seeded;
  });
  load.delivery = { submitted: images, ...(await countEnded(fleet.sql)) };
  const durationMs = input.options.quick ? phases.quickMs : phases.durationMs;
  const hasDatabase = load.environment.servers.some(({ what }) => what === 'PostgreSQL');
  const measured: Measured[] = [];
  for (const { name, path, method, headers = {}, body } of endpointsOf(phases, project)) {
    const task: CannonTask = {
      url: new URL(path, target.url).href,
      method,
      headers: { authorization: `Bearer ${target.key}`, ...headers },
      ...(body === undefined ? {} : { body }),
      connections: phases.connections,
      durationMs,
    };
    await load.phase(
      name,
      async () => {
        await cannon({ ...task, durationMs: phases.warmMs }, signal);
        const before = sampler.cpu();
        const report = await cannon(task, signal);
        const after = sampler.cpu();
        const each = (role: string) => (cpuBetween(before, after, [role]) * 1000) / Math.max(1, report.requests);
        measured.push({ name, report, apiCpuMs: each('api'), databaseCpuMs: hasDatabase ? each('PostgreSQL') : null });
        return report;
      },
      ({ requests, tookMs }) => `${Math.round((requests / tookMs) * 1000)} requests/s`,
    );
  }
  const failed = measured.filter(({ report }) => cannonFailures(report) > 0);
  const weak = measured
    .map(({ name, report }) => [name, whyWeak(report)] as const)
    .find(([, why]) => why !== undefined);
  load.measurements.endpoints_failed_requests = {
    actual: measured.reduce((sum, { report }) => sum + cannonFailures(report), 0),
    note: failed.map(({ name, report }) => `${name}: ${JSON.stringify(report.failed)}`).join('; '),
    ...(weak ? { weakened: `${weak[0]}: ${weak[1]}` } : {}),
  };
  load.tables.push(endpointTable(measured, phases.connections));
}

/** One row an endpoint. */
export function endpointTable(measured: readonly Measured[], connections: number): ReportTable {
  return {
    title: 'One endpoint at a time',
    note: `autocannon, ${connections} connections, each waiting for its answer; latencies in whole milliseconds. The images' results are simulated. A generator near 100 % of a core is what limits the rate.`,
    columns: [
      { name: 'endpoint' },
      { name: 'answered', unit: 'per-minute' },
      { name: 'CPU of the API, each', unit: 'ms' },
      { name: 'CPU of PostgreSQL, each', unit: 'ms' },
      { name: 'bytes, each', unit: 'bytes' },
      { name: 'p50', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'failed', unit: 'count' },
      { name: 'generator’s CPU', unit: 'ratio' },
    ],
    rows: measured.map(({ name, report, apiCpuMs, databaseCpuMs }) => [
      name,
      (report.requests / Math.max(1, report.tookMs)) * 60_000,
      apiCpuMs,
      databaseCpuMs,
      report.bytes / Math.max(1, report.requests),
      report.p50Ms,
      report.p99Ms,
      cannonFailures(report),
      report.cpuShare,
    ]),
  };
}
