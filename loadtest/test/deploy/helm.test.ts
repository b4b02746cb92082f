import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../../service/src/settings.ts';
import { onPath } from '../../src/environment/processes.ts';
import { projectRoot } from '../../src/environment/paths.ts';

const chart = join(projectRoot, 'deploy/helm/segbench');
const read = (name: string) => readFileSync(join(chart, name), 'utf8');
interface Role {
  resources: { limits: { memory: string } };
  heapMegabytes: number;
  settings: Record<string, unknown>;
}
type Values = Record<string, unknown> & {
  settings: Record<string, unknown>;
  keda: Record<string, number>;
} & Record<'api' | 'relay' | 'worker', Role>;
const values = parse(read('values.yaml')) as Values;
const ROLES = ['api', 'relay', 'worker'] as const;

describe('values', () => {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(read('values.schema.json')) as object);
  const problems = (given: unknown) => (validate(given) ? [] : (validate.errors ?? []));
  const changed = (change: (copy: Values) => void): boolean => {
    const copy = structuredClone(values);
    change(copy);
    return validate(copy);
  };

  it('are allowed by their schema, the defaults and those of the checks', () => {
    expect(problems(values)).toEqual([]);
    const full = parse(read('ci/full-values.yaml')) as Record<string, object>;
    const together = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        value !== null && typeof value === 'object' && !Array.isArray(value)
          ? { ...value, ...full[name] }
          : (full[name] ?? value),
      ]),
    );
    expect(problems(together)).toEqual([]);
  });

  it('refuse what is misspelt, and a secret among the settings', () => {
    expect(changed((copy) => Object.assign(copy, { worekr: {} }))).toBe(false);
    expect(changed((copy) => Object.assign(copy.worker, { replica: 2 }))).toBe(false);
    expect(changed((copy) => Object.assign(copy.settings, { DATABASE_URL: 'postgres://u:p@h/d' }))).toBe(false);
    expect(changed((copy) => Object.assign(copy.settings, { 'log-level': 'info' }))).toBe(false);
    expect(changed((copy) => void delete (copy.api.resources.limits as { memory?: string }).memory)).toBe(false);
  });

  it('name settings that there are, and give what docker-compose.yml gives', () => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
    const names = [values.settings, ...ROLES.map((role) => values[role].settings)].flatMap((one) => Object.keys(one));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    const { services } = parse(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, { mem_limit: string; environment: Record<string, string> }>;
    };
    for (const role of ROLES) {
      const { mem_limit: limit, environment } = services[role]!;
      expect(values[role].resources.limits.memory).toBe(limit.replace('g', 'Gi'));
      expect(environment['NODE_OPTIONS']).toBe(`--max-old-space-size=${values[role].heapMegabytes}`);
    }
  });

  it('say what each group means', () => {
    const lines = read('values.yaml').split('\n');
    const bare = lines.filter(
      (line, index) =>
        /^\w/.test(line) && !lines.slice(Math.max(0, index - 3), index + 4).some((one) => /^\s*#/.test(one)),
    );
    expect(bare.filter((line) => !/^(service|ingress):/.test(line))).toEqual([]);
  });
});

const promtool = onPath('promtool');
describe.skipIf(!promtool)('workers by what waits', () => {
  /** Desired pods by KEDA's rule for an average value, from series of ten minutes. */
  function desired(series: Record<string, string>): (expected: number) => string {
    const { drainSeconds, targetAgeSeconds, maxUrgency, imagesPerSecondPerWorker } = values.keda;
    const query = read('files/workers.promql')
      .replaceAll('NAMESPACE', 'namespace="n"')
      .replaceAll('EXPECTED_RATE', String(imagesPerSecondPerWorker))
      .replaceAll('TARGET_AGE', String(targetAgeSeconds))
      .replaceAll('MOST_URGENCY', String(maxUrgency));
    return (expected) => {
      const folder = mkdtempSync(join(tmpdir(), 'segbench-promql-'));
      try {
        const rules = {
          groups: [{ name: 'g', rules: [{ record: 'desired', expr: `ceil((${query}) / ${drainSeconds})` }] }],
        };
        const input_series = Object.entries(series).map(([name, all]) => ({ series: name, values: all }));
        const promql_expr_test = [
          { expr: 'desired', eval_time: '10m', exp_samples: [{ labels: 'desired', value: expected }] },
        ];
        const tests = [{ interval: '1m', input_series, promql_expr_test }];
        writeFileSync(join(folder, 'rules.yml'), JSON.stringify(rules));
        writeFileSync(join(folder, 'test.yml'), JSON.stringify({ rule_files: ['rules.yml'], tests }));
        const { status, stdout, stderr } = spawnSync(promtool!, ['test', 'rules', 'test.yml'], {
          cwd: folder,
          encoding: 'utf8',
        });
        return status === 0 ? 'as expected' : stdout + stderr;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    };
  }
  const depth = (count: number) => ({ 'segbench_queue_depth{namespace="n", instance="r1"}': `${count}x10` });
  const age = (seconds: number) => ({
    'segbench_queue_oldest_age_seconds{namespace="n", instance="r1"}': `${seconds}x10`,
  });
  /** Workers that together end so many images a minute. */
  const fleet = (workers: number, perMinute: number) => ({
    'segbench_events_total{namespace="n", status="completed"}': `0+${perMinute}x10`,
    ...Object.fromEntries(
      Array.from({ length: workers }, (_, index) => [
        `process_start_time_seconds{namespace="n", role="worker", instance="w${index}"}`,
        '1x10',
      ]),
    ),
  });

  it.each([
    ['nothing waits', { ...depth(0), ...age(0), ...fleet(2, 240) }, 0],
    ['nobody works yet: the planned rate', { ...depth(6000), ...age(0) }, 10],
    ['four workers at 2/s each, as planned', { ...depth(6000), ...age(0), ...fleet(4, 480) }, 10],
    ['four workers at 4/s each: half of it', { ...depth(6000), ...age(0), ...fleet(4, 960) }, 5],
    ['idle workers have no rate: half of the plan at least', { ...depth(6000), ...age(0), ...fleet(4, 0) }, 20],
    ['twice the age that is wanted: twice as many', { ...depth(6000), ...age(600), ...fleet(4, 480) }, 20],
    ['very old: four times at most', { ...depth(6000), ...age(86_400), ...fleet(4, 480) }, 40],
    [
      'another namespace is nobody’s concern',
      { ...depth(300), ...age(0), ...fleet(1, 120), 'segbench_queue_depth{namespace="other"}': '90000x10' },
      1,
    ],
  ])('%s', (_, series, pods) => {
    expect(desired(series)(pods)).toBe('as expected');
  });
});

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    template?: {
      spec: {
        terminationGracePeriodSeconds?: number;
        securityContext: { runAsNonRoot: boolean };
        containers: {
          securityContext: { readOnlyRootFilesystem: boolean };
          resources: { limits: { memory: string } };
          env: { name: string; value?: string }[];
          lifecycle?: { preStop: object };
          livenessProbe?: object;
        }[];
      };
    };
  };
}
const helm = onPath(process.env['SEGBENCH_TEST_HELM'] ?? 'helm');
/** A helm that was built by `go install` thinks of an old one. */
const KUBE = ['--kube-version', '1.34.0'];
describe.skipIf(!helm)('the chart by helm', () => {
  const run = (...args: string[]) => spawnSync(helm!, args, { encoding: 'utf8' });
  const render = (...more: string[]): Manifest[] => {
    const { status, stdout, stderr } = run('template', 'plate', chart, '--namespace', 'imaging', ...KUBE, ...more);
    if (status !== 0) throw new Error(stderr);
    return parseAllDocuments(stdout).flatMap((one) => (one.toJS() ? [one.toJS() as Manifest] : []));
  };
  const full = ['-f', join(chart, 'ci/full-values.yaml')];
  const kinds = (all: Manifest[]) => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
  const pods = (all: Manifest[]) => all.flatMap(({ spec }) => (spec.template ? [spec.template.spec] : []));

  it('passes its lint', () => {
    expect(run('lint', '--strict', chart, ...full)).toMatchObject({ status: 0 });
  });

  it('has the roles apart, the migration, budgets of disruption, and walls', () => {
    expect(kinds(render())).toEqual([
      'Deployment plate-api',
      'Deployment plate-relay',
      'Deployment plate-worker',
      'Job plate-migrate',
      'NetworkPolicy plate',
      'NetworkPolicy plate-api',
      'PersistentVolumeClaim plate-files',
      'PodDisruptionBudget plate-api',
      'PodDisruptionBudget plate-relay',
      'PodDisruptionBudget plate-worker',
      'Service plate',
    ]);
    expect(kinds(render(...full))).toEqual(expect.arrayContaining(['Ingress plate', 'ScaledObject plate-worker']));
  });

  it('runs nothing as root or without a limit, and gives each role time to end', () => {
    for (const { securityContext, containers, terminationGracePeriodSeconds: grace = 30 } of pods(render(...full))) {
      expect(securityContext.runAsNonRoot).toBe(true);
      expect(grace).toBeGreaterThan(20);
      for (const one of containers) {
        expect(one.securityContext.readOnlyRootFilesystem).toBe(true);
        expect(one.resources.limits.memory).toMatch(/^\d+[MG]i$/);
      }
    }
    const lifecycles = pods(render()).flatMap(({ containers }) => containers.map(({ lifecycle }) => lifecycle));
    expect(lifecycles.filter(Boolean)).toHaveLength(1);
  });

  it('writes no secret, and gives settings that there are', () => {
    const known = new Set<string>([...Object.values(SETTINGS).map(({ name }) => name), 'NODE_OPTIONS']);
    const secret = new Set(Object.values(SETTINGS).flatMap((one) => ('secret' in one && one.secret ? [one.name] : [])));
    const env = pods(render(...full)).flatMap(({ containers }) => containers.flatMap((one) => one.env));
    expect(env.filter(({ name }) => !known.has(name))).toEqual([]);
    expect(env.filter(({ name, value }) => secret.has(name as never) && value !== undefined)).toEqual([]);
  });

  it('refuses values that the schema does not know', () => {
    const { status, stderr } = run('template', 'plate', chart, '--set', 'worekr.replicas=3');
    expect(status).not.toBe(0);
    expect(stderr).toContain('worekr');
  });
});
