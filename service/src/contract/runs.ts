import { Type, type Static } from 'typebox';
import { Id, Nullable } from './common.ts';

const text = Type.String();
const n = Type.Number();

/** One budget of a run as it was judged. */
export const RunBudget = Type.Object({
  name: text,
  unit: text,
  operator: text,
  limit: n,
  actual: Nullable(n),
  /** How far repeats of it were apart in this run, from the least to the most as a share of their middle one; null for fewer than two. */
  spread: Nullable(n),
  verdict: text,
  /** Why it was not measured, or what a reader must know; empty for nothing. */
  note: text,
});
export type RunBudget = Static<typeof RunBudget>;

/** Something that two runs must have in common to be compared, with its value. */
export const RunFact = Type.Object({ name: text, value: text });
export type RunFact = Static<typeof RunFact>;

/** One run of the bench, as its `result.json` tells. */
export const Run = Type.Object({
  /** Made from the name of the run's folder. */
  id: Id,
  name: text,
  scenario: text,
  client: text,
  verdict: text,
  startedAt: text,
  finishedAt: text,
  commit: text,
  seed: n,
  imageCount: n,
  /** Inference was simulated. */
  simulated: Type.Boolean(),
  budgets: Type.Array(RunBudget),
  /** What was done: runs that differ here did different work. */
  work: Type.Array(RunFact),
  /** Where it was done: times of runs that differ here cannot be compared. */
  machine: Type.Array(RunFact),
  notes: Type.Array(text),
  /** There is a report to open. */
  hasReport: Type.Boolean(),
});
export type Run = Static<typeof Run>;

/** How long a stage took, over the images of the run. */
export const RunStage = Type.Object({
  name: text,
  count: n,
  p50Ms: n,
  p95Ms: n,
  p99Ms: n,
  /** `[k, count]`: so many took from 2^(k/8) to 2^((k+1)/8) ms. Empty in runs of earlier versions. */
  histogram: Type.Array(Type.Array(n)),
});
export type RunStage = Static<typeof RunStage>;

/** A run with what is too much for a list. */
export const RunDetail = Type.Object({ ...Run.properties, stages: Type.Array(RunStage) });
export type RunDetail = Static<typeof RunDetail>;

export const RunsReply = Type.Object({
  items: Type.Array(Run),
  /** Folders of runs, those without a readable result included. */
  total: Type.Integer(),
  limit: Type.Integer(),
  offset: Type.Integer(),
  /** Folders of this page without a readable result: still running, ended early, or too large. */
  unreadable: Type.Array(text),
});
export type RunsReply = Static<typeof RunsReply>;
