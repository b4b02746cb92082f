import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Run, RunDetail, RunStage } from '#contract/runs.ts';
import { hideCredentials } from '../inference/kserve/urls.ts';

const text = Type.String();
const n = Type.Number();
/** What is read of a `result.json`; whatever else it has is left alone. */
const ResultFile = Type.Object({
  schemaVersion: Type.Literal(1),
  tool: Type.Object({ commit: text }),
  scenario: text,
  verdict: text,
  clientMode: text,
  seed: n,
  startedAt: text,
  finishedAt: text,
  environment: Type.Object({
    cpuModel: text,
    cores: n,
    os: text,
    node: text,
    postgres: text,
    redis: text,
    browser: text,
    provider: text,
    inference: Type.Object({ pool: text, provider: text, model: text, modelSha256: text }),
  }),
  images: Type.Object({ count: n, sha256OfSet: text }),
  budgets: Type.Array(
    Type.Object({
      name: text,
      unit: text,
      operator: text,
      limit: n,
      actual: Type.Union([n, Type.Null()]),
      values: Type.Optional(Type.Array(Type.Unknown())),
      verdict: text,
      note: Type.Optional(text),
    }),
  ),
  notes: Type.Optional(Type.Array(text)),
});
type ResultFile = Static<typeof ResultFile>;

const NOTES_MAX = 20;
const TEXT_MAX = 2_000;
const cut = (value: string): string => value.slice(0, TEXT_MAX);

/**
 * What pages show of a run.
 * @throws RangeError when the value is no `result.json` of this version
 */
export function summaryOf(value: unknown, place: Pick<Run, 'id' | 'name' | 'hasReport'>): Run {
  if (!Value.Check(ResultFile, value)) throw new RangeError(`${place.name} has no result.json of schema version 1`);
  const { environment: at, images, budgets, notes = [] }: ResultFile = value;
  const { inference } = at;
  return {
    ...place,
    scenario: cut(value.scenario),
    client: cut(value.clientMode),
    verdict: cut(value.verdict),
    startedAt: cut(value.startedAt),
    finishedAt: cut(value.finishedAt),
    commit: cut(value.tool.commit),
    seed: value.seed,
    imageCount: images.count,
    simulated: inference.provider === 'simulated',
    budgets: budgets.map(({ name, unit, operator, limit, actual, values = [], verdict, note = '' }) => ({
      name: cut(name),
      unit: cut(unit),
      operator: cut(operator),
      limit,
      actual,
      spread: spreadOf(values),
      verdict: cut(verdict),
      note: cut(note),
    })),
    work: [
      { name: 'scenario', value: cut(value.scenario) },
      { name: 'client', value: cut(value.clientMode) },
      { name: 'images', value: cut(images.sha256OfSet || String(images.count)) },
      { name: 'model', value: cut(inference.modelSha256) },
    ],
    machine: [
      { name: 'CPU', value: cut(at.cpuModel) },
      { name: 'cores', value: String(at.cores) },
      { name: 'operating system', value: cut(at.os) },
      { name: 'Node', value: cut(at.node) },
      { name: 'PostgreSQL', value: cut(at.postgres) },
      { name: 'Redis', value: cut(at.redis) },
      { name: 'browser', value: cut(at.browser) },
      { name: 'environment', value: cut(at.provider) },
      { name: 'inference pool', value: cut(`${poolOf(inference.pool)}/${inference.provider}`) },
    ],
    notes: notes.slice(0, NOTES_MAX).map(cut),
  };
}

/** From the least to the most, as a share of the middle one. */
function spreadOf(values: readonly unknown[]): number | null {
  const sorted = values.filter((value) => typeof value === 'number').toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return sorted.length < 2 || middle === 0 ? null : (sorted.at(-1)! - sorted[0]!) / Math.abs(middle);
}

const StageOfFile = Type.Object({
  count: n,
  p50Ms: n,
  p95Ms: n,
  p99Ms: n,
  histogram: Type.Optional(Type.Array(Type.Tuple([n, n]), { maxItems: 1_000 })),
});
const STAGES_MAX = 100;

/** A stage that cannot be read is left out: the run is worth seeing all the same. */
function stagesOf(value: unknown): RunStage[] {
  const { stages } = value as { stages?: unknown };
  if (typeof stages !== 'object' || stages === null) return [];
  return Object.entries(stages)
    .slice(0, STAGES_MAX)
    .flatMap(([name, stage]: [string, unknown]) => {
      if (!Value.Check(StageOfFile, stage)) return [];
      const { count, p50Ms, p95Ms, p99Ms, histogram = [] } = stage;
      return [{ name: cut(name), count, p50Ms, p95Ms, p99Ms, histogram }];
    });
}

/** @throws RangeError like `summaryOf` */
export const detailOf = (value: unknown, place: Pick<Run, 'id' | 'name' | 'hasReport'>): RunDetail => ({
  ...summaryOf(value, place),
  stages: stagesOf(value),
});

/** A profile made for one run lies in that run's own folder: its name is what two runs can have in common. */
const poolOf = (pool: string): string =>
  pool.startsWith('sim:') ? `sim:${pool.split(/[/\\]/).at(-1)}` : hideCredentials(pool);
