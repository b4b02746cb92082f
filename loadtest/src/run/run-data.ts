import type { RunData } from '../contract.ts';
import type { EnvironmentKind } from '../environment/types.ts';
import { emptyClientSummary, type Bench, type ClientMode } from './bench.ts';
import type { Collected } from './collect.ts';
import { describeEnvironment, type DescribedServices } from './machine.ts';

/** Everything that came of a run so far; each part has a value for "did not come to that". */
export interface Parts {
  bench: Bench;
  pool: string;
  startedAt: Date;
  collected?: Collected;
  process?: RunData['process'];
  accuracy?: RunData['accuracy'];
  efficiency?: RunData['efficiency'];
  noise?: RunData['noise'];
  psiCpuSome?: number | null;
  capacity?: RunData['capacity'];
  stopped?: RunData['stopped'];
}

const NO_DELIVERY = {
  submitted: 0,
  completed: 0,
  failed: 0,
  terminalEventsReceived: 0,
  duplicates: 0,
  missing: 0,
  sequenceGaps: 0,
};
const NO_EFFICIENCY = { cpuRatio: null, imagesPerSecond: null, rawImagesPerSecond: null, throughputRatio: null };

/** The content of `measurements.json`. */
export async function runDataOf(parts: Parts): Promise<RunData> {
  const { bench, collected } = parts;
  const { set } = bench;
  const environment = await describeEnvironment({
    services: bench.services,
    kind: bench.services.environment.kind,
    pool: parts.pool,
    psiCpuSome: parts.psiCpuSome ?? null,
    notes: [...bench.notes, ...(collected?.findings ?? [])],
  });
  return {
    scenario: bench.scenario.name,
    client: bench.mode,
    seed: bench.seed,
    startedAt: parts.startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    environment,
    images: {
      count: set.images.length,
      source: set.source,
      bytes: set.bytes,
      sha256OfSet: set.sha256OfSet,
      rejected: bench.upload?.rejected ?? [],
      failedByCode: collected?.failedByCode ?? {},
    },
    measurements: bench.measurements,
    delivery: collected?.delivery ?? { ...NO_DELIVERY, submitted: bench.upload?.uploaded.length ?? 0 },
    accuracy: parts.accuracy ?? null,
    stages: collected?.stages ?? {},
    clientSummary: bench.client,
    efficiency: parts.efficiency ?? NO_EFFICIENCY,
    process: parts.process ?? {},
    phases: bench.phases,
    ...(parts.noise ? { noise: parts.noise } : {}),
    ...(collected?.database ? { database: collected.database } : {}),
    ...(collected?.batchEvents ? { batchEvents: collected.batchEvents } : {}),
    ...(collected ? { identities: collected.identities, ...collected.story } : {}),
    ...(parts.capacity ? { capacity: parts.capacity } : {}),
    ...(parts.stopped ? { stopped: parts.stopped } : {}),
  };
}

/** A run of which nothing is known but its machine: every budget is `not-run`. Scenarios without a page put theirs over it. */
export async function blankRunData(given: {
  scenario: string;
  client: ClientMode;
  seed: number;
  source: RunData['images']['source'];
  pool: string;
  startedAt: Date;
  /** Asked for, where none came up. */
  environment?: EnvironmentKind;
  stopped?: NonNullable<RunData['stopped']>;
  services?: DescribedServices;
  psiCpuSome?: number | null;
  notes?: readonly string[];
}): Promise<RunData> {
  const { scenario, client, seed, source, pool, startedAt, stopped, services, psiCpuSome = null, notes = [] } = given;
  const { environment = 'auto' } = given;
  return {
    scenario,
    client,
    seed,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    environment: await describeEnvironment({
      services,
      kind: environment === 'auto' ? 'embedded' : environment,
      pool,
      psiCpuSome,
      notes,
    }),
    images: { count: 0, source, bytes: 0, sha256OfSet: '', rejected: [], failedByCode: {} },
    measurements: {},
    delivery: NO_DELIVERY,
    accuracy: null,
    stages: {},
    clientSummary: emptyClientSummary(),
    efficiency: NO_EFFICIENCY,
    process: {},
    phases: [],
    ...(stopped ? { stopped } : {}),
  };
}
