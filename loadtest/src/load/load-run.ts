import type { Scenario } from '../../../scenarios/scenario.ts';
import type { Measurements, ReportPlot, ReportTable, RunData } from '../contract.ts';
import { launchBrowser, type LaunchedBrowser } from '../environment/browser.ts';
import { startEnvironment, type Environment } from '../environment/index.ts';
import { createIdentityLog, type IdentityLog } from '../measure/batch-identities.ts';
import { createLagMeter, foreignShare, readMachineCpu } from '../measure/noise.ts';
import { createProcessSampler } from '../measure/processes.ts';
import { pressureBetween, readCpuPressure } from '../measure/psi.ts';
import { createClosers } from '../run/closers.ts';
import { blankRunData } from '../run/run-data.ts';
import type { RunInput } from '../run/run-input.ts';
import { orStop, stoppedBy } from '../run/stop.ts';
import type { RoleProcess } from '../../../service/src/role-process.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { timerPool } from './simulated.ts';

/** What a scenario without a page works with, and what it leaves. */
export interface Load {
  input: RunInput;
  environment: Environment;
  fleet: Fleet;
  signal: AbortSignal;
  sampler: ReturnType<typeof createProcessSampler>;
  measurements: Measurements;
  tables: ReportTable[];
  plots: ReportPlot[];
  notes: string[];
  images: number;
  /** Of the browser that a scenario with a page has started. */
  browserVersion: string;
  delivery: Partial<RunData['delivery']>;
  /** What of this run's own counts agrees. */
  checks: IdentityLog;
  capacity?: RunData['capacity'];
  /** Starts a role that is watched from its start. */
  start(role: 'api' | 'relay' | 'worker', more?: Record<string, string>): Promise<RoleProcess>;
  /** One part of the scenario, timed; a stop ends it wherever it is. */
  phase<T>(name: string, work: () => Promise<T>, note?: (result: T) => string): Promise<T>;
}

export interface LoadPlan {
  /** A worker of timers, this long an image; without it the configured model runs. */
  simulatedMs?: number;
  /** Value of POOL, where the command line chooses it. */
  pool?: string;
  settings?: Record<string, string>;
  /** Hears each line that a role prints; true keeps it to itself. */
  heard?: (line: string) => boolean;
}

/** Servers and an empty service up, the scenario's own `work`, everything down. What was measured until a stop is kept. */
export async function runLoad(
  { scenario, plan, startedAt, input }: { scenario: Scenario; plan: LoadPlan; startedAt: Date; input: RunInput },
  work: (load: Load) => Promise<void>,
): Promise<RunData> {
  const { options, progress, stop, settings } = input;
  const { signal } = stop;
  const closers = createClosers((line) => progress.line(line));
  let closing = false;
  try {
    progress.phase('start');
    const environment = await startEnvironment({
      kind: options.environment,
      log: (line) => progress.line(line),
      signal,
    });
    closers.add(() => environment.stop());
    void environment.died.then(({ what, detail }) => closing || stop.lost(`${what} is gone: ${detail.slice(0, 300)}`));
    const { simulatedMs } = plan;
    const pool = plan.pool ?? (simulatedMs === undefined ? 'local' : await timerPool(environment.tempDir, simulatedMs));
    const fleet = await startFleet({
      ground: environment,
      settings: { WORKERS: String(options.workers), POOL: pool, ...plan.settings, ...settings },
      log: (line) => plan.heard?.(line) || progress.line(line),
      stop,
    });
    closers.add(() => fleet.close());
    const sampler = createProcessSampler();
    sampler.watch({ role: 'harness', pid: process.pid, alone: true });
    for (const { what, pid } of environment.servers) sampler.watch({ role: what, pid });
    const phases: RunData['phases'] = [];
    const load: Load = {
      input,
      environment,
      fleet,
      signal,
      sampler,
      measurements: {},
      tables: [],
      plots: [],
      notes: [],
      images: 0,
      browserVersion: '',
      delivery: {},
      checks: createIdentityLog(),
      async start(role, more) {
        const process = await fleet.start(role, more);
        sampler.watch({ role, pid: process.pid, ...(role === 'worker' ? { childRole: () => 'inference' } : {}) });
        return process;
      },
      async phase(name, run, note) {
        const began = new Date();
        const entry = { name, startedAt: began.toISOString(), durationMs: 0 };
        phases.push(entry);
        progress.phase(name);
        try {
          const result = await orStop(signal, run());
          progress.done(note?.(result));
          return result;
        } finally {
          entry.durationMs = Date.now() - began.getTime();
        }
      },
    };
    const lag = createLagMeter();
    const own = sampler.cpu();
    const [cpu, pressure] = await Promise.all([readMachineCpu(), readCpuPressure()]);
    sampler.start();
    let stopped: RunData['stopped'];
    try {
      await work(load);
    } catch (error) {
      stopped = stoppedBy(signal.aborted ? signal.reason : error);
      progress.line(`stopped: ${stopped.message}`);
    }
    closing = true;
    const ownNow = sampler.cpu();
    const [cpuNow, pressureNow] = await Promise.all([readMachineCpu(), readCpuPressure()]);
    lag.stop();
    sampler.stop();
    await input.folder.ndjson('raw/processes.ndjson', sampler.series());
    const identities = load.checks.all();
    const sum = (roles: Record<string, number>) => Object.values(roles).reduce((total, one) => total + one, 0);
    const psiCpuSome = pressureBetween(pressure, pressureNow);
    const blank = await blankRunData({
      scenario: scenario.name,
      client: options.client,
      seed: options.seed,
      source: 'synthetic',
      pool,
      startedAt,
      services: { environment, browserVersion: load.browserVersion },
      psiCpuSome,
      notes: load.notes,
      ...(stopped ? { stopped } : {}),
    });
    return {
      ...blank,
      images: { ...blank.images, count: load.images },
      measurements: load.measurements,
      delivery: { ...blank.delivery, ...load.delivery },
      process: sampler.summary(),
      phases,
      noise: {
        foreignCpuShare: foreignShare(cpu, cpuNow, sum(ownNow.byRole) - sum(own.byRole)),
        generatorLagP99Ms: lag.p99Ms(),
      },
      tables: load.tables,
      plots: load.plots,
      ...(identities.length > 0 ? { identities } : {}),
      ...(load.capacity ? { capacity: load.capacity } : {}),
    };
  } finally {
    closing = true;
    progress.phase('stop');
    await closers.closeAll();
    progress.done();
  }
}

/** A browser for the load's pages; it is the caller's to close. @param more how it is started */
export async function launchFor(
  load: Load,
  more: Pick<Parameters<typeof launchBrowser>[0], 'notesRequests'> = {},
): Promise<LaunchedBrowser> {
  const { environment, signal, input } = load;
  const launched = await launchBrowser({
    tempDir: environment.tempDir,
    env: environment.env,
    log: (line) => input.progress.line(line),
    onGroup: (pid) => environment.watchGroup(pid),
    signal,
    onLost: (cause) => input.stop.lost(cause),
    ...more,
  });
  load.browserVersion = launched.version;
  return launched;
}
