import { Type, type Static } from 'typebox';
import { Id, Literals, Nullable, Timestamp } from './common.ts';

const n = Type.Number();

/** How long a batch takes and how much its results are, said before it begins. */
export const Forecast = Type.Object({
  /** Images that workers must segment; those that stored results answer are not among them. */
  images: Type.Integer(),
  /** Inference processes that live. */
  workers: Type.Integer(),
  /** Images of other batches that run before or between these: projects take turns. */
  imagesAhead: Type.Integer(),
  /** From the request to the last result, and what 19 of 20 such batches should stay within. */
  seconds: n,
  low: n,
  high: n,
  /** Of the outlines, as they are stored. */
  resultBytes: Type.Integer(),
  basis: Type.Object({
    /** Images of this model whose times and bytes were measured. */
    images: Type.Integer(),
    /** Of this project; otherwise of the tenant's others. */
    ownProject: Type.Boolean(),
    /** How many batches like this one have ended, whose forecasts were held against them; with few, the range is wide. */
    batches: Type.Integer(),
    /** These images are smaller or larger than any that were measured. */
    outside: Type.Boolean(),
  }),
});
export type Forecast = Static<typeof Forecast>;

/** Why there is none. */
export const NO_FORECAST = ['NOTHING_MEASURED', 'NO_WORKER', 'NOTHING_TO_SEGMENT'] as const;
export const ForecastReply = Type.Object({
  images: Type.Integer(),
  /** Of `images`: answered at once by stored results of equal bytes, model and parameters. */
  reused: Type.Integer(),
  forecast: Nullable(Forecast),
  reason: Nullable(Literals(NO_FORECAST)),
});
export type ForecastReply = Static<typeof ForecastReply>;

/** A forecast beside what happened. */
export const ScoredForecast = Type.Object({
  batchId: Id,
  projectId: Id,
  projectName: Type.String(),
  createdAt: Timestamp,
  forecast: Forecast,
  tookSeconds: n,
  /** Of the stored outlines: the mean of at most 200 of them, times the images. */
  gotBytes: Type.Integer(),
  /** Whether the range held what happened. */
  inside: Type.Boolean(),
});
export type ScoredForecast = Static<typeof ScoredForecast>;

export const Forecasts = Type.Object({
  /** Of completed batches that nobody paused, newest first, at most 100. */
  items: Type.Array(ScoredForecast),
  /** Null without items. */
  score: Nullable(
    Type.Object({
      batches: Type.Integer(),
      /** Geometric mean of took / said, less 1: above 0, batches take longer than is said. */
      bias: n,
      /** Median of |took / said - 1|. */
      error: n,
      /** Share of the ranges that held what happened; 0.95 is meant. */
      coverage: n,
    }),
  ),
});
export type Forecasts = Static<typeof Forecasts>;
