import { createHash } from 'node:crypto';
import type { EnvironmentInfo, ReportPlot, ResultFile, RunData } from '../contract.ts';
import type { ImageSet } from '../images/image-set.ts';
import { blankRunData } from '../run/run-data.ts';
import { describeTool } from '../run/tool.ts';
import type { CompareSection, Triple } from './contract.ts';
import { decide, logRatio } from './decide.ts';
import { looksOf } from './looks.ts';
import { primaryOf, valueOf } from './metrics.ts';
import { compareTables } from './report-tables.ts';
import type { CompareRunOptions } from './run.ts';
import { stageMoves } from './stages.ts';

export interface CompareOutcome {
  options: CompareRunOptions;
  triples: readonly Triple[];
  set: ImageSet | undefined;
  startedAt: Date;
  stopped: RunData['stopped'] | undefined;
  psiCpuSome: number | null;
  /** Two targets by adapters: nothing is known of where they run. */
  isForeign: boolean;
}

/** Blocks to the whole section; pure, so that a stored result can be judged again. */
export function compareSection(
  outcome: Pick<CompareOutcome, 'options' | 'triples'>,
  fingerprint: string,
): CompareSection {
  const { options, triples } = outcome;
  const { base, head, seed, pairs, images, pool } = options;
  const looks = looksOf(pairs);
  return {
    ...decide(triples, { looks, isLast: true, seed }),
    base,
    head,
    seed,
    imagesPerBlock: images,
    plannedPairs: pairs,
    pairs: triples.length,
    looks,
    stages: stageMoves(triples, seed),
    triples: [...triples],
    fingerprint,
    simulated: pool.startsWith('sim:'),
  };
}

/** What two machines must share for their times to be set side by side, as one number. */
export const fingerprintOf = ({ cpuModel, cores, memoryBytes, os, node, inference }: EnvironmentInfo): string =>
  createHash('sha256')
    .update(JSON.stringify([cpuModel, cores, memoryBytes, os, node, inference.pool, inference.modelSha256]))
    .digest('hex');

/** This machine is the client's. */
const theirEnvironment = (environment: EnvironmentInfo, { base, head }: CompareRunOptions): EnvironmentInfo => ({
  ...environment,
  postgres: '–',
  redis: '–',
  browser: 'none',
  provider: 'external',
  inference: { pool: 'the targets’', provider: 'unknown', model: 'the targets’', modelSha256: '' },
  notes: [`base is reached by the adapter ${base.ref}, head by ${head.ref}; this machine is the client’s`],
});

/** A comparison as `result.json`: no budgets, its verdict from `compare`, its tables in every report. */
export async function compareResult(outcome: CompareOutcome): Promise<ResultFile> {
  const { options, triples, set, startedAt, stopped, psiCpuSome, isForeign } = outcome;
  const notes = [`seed ${options.seed}`];
  const blank = await blankRunData({
    scenario: `compare-${options.scenario.name}`,
    client: 'optimized',
    seed: options.seed,
    source: 'synthetic',
    pool: options.pool,
    startedAt,
    psiCpuSome,
    notes,
    ...(stopped ? { stopped } : {}),
  });
  const { measurements: _none, clientSummary, client, ...rest } = blank;
  const compare = compareSection(outcome, fingerprintOf(rest.environment));
  const { words, notes: found } = compare;
  const ended = stopped?.reason;
  return {
    schemaVersion: 1,
    tool: await describeTool(),
    ...rest,
    ...(isForeign ? { environment: theirEnvironment(rest.environment, options) } : {}),
    ...(set
      ? { images: { ...rest.images, count: set.images.length, bytes: set.bytes, sha256OfSet: set.sha256OfSet } }
      : {}),
    verdict: ended ?? compare.verdict,
    budgets: [],
    clientMode: client,
    client: clientSummary,
    notes: [...(stopped ? [`${stopped.reason}: ${stopped.message}`] : []), ...words.slice(1), ...found],
    compare,
    tables: compareTables(compare),
    plots: triples.length > 0 ? [ratioPlot(triples)] : [],
  };
}

/** Each pair's ratios in the order in which they were measured: a drift, or one pair that makes the verdict, is seen here. */
function ratioPlot(triples: readonly Triple[]): ReportPlot {
  return {
    title: 'Head over base, pair by pair',
    note: '100 % is no change. The verdict comes from the middle of all pairs, not from any of them.',
    x: { name: 'pair', unit: 'count' },
    y: { name: 'head / base', unit: 'ratio' },
    series: primaryOf(triples).map((metric): ReportPlot['series'][number] => ({
      name: metric.name,
      points: triples.map((triple, at) => [at + 1, Math.exp(logRatio(triple, (figures) => valueOf(figures, metric)))]),
    })),
  };
}
