import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runIdOf } from '../../src/runs/store.ts';

export interface RunSpec {
  name?: string;
  scenario?: string;
  verdict?: string;
  cpuModel?: string;
  startedAt?: string;
  settleMs?: number | null;
  toasts?: number;
  report?: string | null;
  pool?: string;
}
const budget = (name: string, unit: string, limit: number, actual: number | null, values: number[] = []) => ({
  name,
  unit,
  operator: '<',
  limit,
  actual,
  values,
  verdict: actual === null ? 'not-run' : actual < limit ? 'pass' : 'fail',
  source: 'a test',
});

const DEFAULT_NAME = '2026-03-02T09-30-00Z-bulk-1000';
/** Of a folder's name, as the bench makes it. */
const startOf = (name: string): string => name.replace(/^(.{10}T\d\d)-(\d\d)-(\d\d)Z.*$/, '$1:$2:$3.000Z');

/** A `result.json` as the bench writes it, of what this service reads. */
export function resultJson(spec: RunSpec = {}): Record<string, unknown> {
  const { scenario = 'bulk-1000', verdict = 'pass', cpuModel = 'a test’s CPU', settleMs = 302, toasts = 1 } = spec;
  return {
    schemaVersion: 1,
    tool: { name: 'segbench', version: '0.1.0', commit: '0123456789abcdef0123456789abcdef01234567' },
    scenario,
    verdict,
    clientMode: 'optimized',
    seed: 1,
    startedAt: spec.startedAt ?? startOf(spec.name ?? DEFAULT_NAME),
    finishedAt: '2026-03-02T09:31:30.000Z',
    environment: {
      cpuModel,
      cores: 2,
      memoryBytes: 8e9,
      os: 'Linux',
      node: 'v24',
      postgres: '18.4',
      redis: '7.0',
      browser: 'Chromium 153',
      provider: 'embedded',
      inference: { pool: spec.pool ?? 'local', provider: 'cpu', model: 'nuclei/1', modelSha256: 'ab'.repeat(32) },
    },
    stages: {
      infer: {
        count: 1000,
        p50Ms: 12,
        p95Ms: 19,
        p99Ms: 30,
        maxMs: 40,
        cpuMsPerImage: 11,
        histogram: [
          [27, 100],
          [28, 700],
          [34, 200],
        ],
      },
      settle: { count: 1, p50Ms: 300, p95Ms: 300, p99Ms: 300, maxMs: 300, cpuMsPerImage: null },
      odd: 'not a stage',
    },
    images: { count: 1000, sha256OfSet: 'cd'.repeat(32) },
    budgets: [
      budget('ui_settle_ms', 'ms', 2000, settleMs, [280, 300, 310]),
      { ...budget('toasts', 'count', 2, toasts) },
    ],
    notes: ['rate limits of the service are lifted'],
  };
}

export async function writeRun(dir: string, spec: RunSpec = {}): Promise<string> {
  const name = spec.name ?? DEFAULT_NAME;
  await mkdir(join(dir, name), { recursive: true });
  await writeFile(join(dir, name, 'result.json'), JSON.stringify(resultJson(spec)));
  const { report = '<!doctype html><title>report</title><style>p { color: teal }</style><p>19 budgets held</p>' } =
    spec;
  if (report !== null) await writeFile(join(dir, name, 'report.html'), report);
  return runIdOf(name);
}

/** A folder with one run. */
export async function makeResults() {
  const dir = await mkdtemp(join(tmpdir(), 'segbench-results-'));
  const runId = await writeRun(dir);
  return { dir, runId, remove: () => rm(dir, { recursive: true, force: true }) };
}
