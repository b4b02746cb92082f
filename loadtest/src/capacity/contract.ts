/** What a run says of capacity in its result file: the sweep of scenario `capacity`, or the one level that a bulk run is. */
import { Type, type Static } from 'typebox';

const Count = Type.Integer({ minimum: 0 });
const Positive = Type.Number({ exclusiveMinimum: 0 });
const Amount = Type.Number({ minimum: 0 });
const Known = Type.Union([Amount, Type.Null()]);

/** Executions of images of one shape. */
export const ShapeTimes = Type.Object({
  /** Pixels. */
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
  /** Mean number of cells that were found. */
  cells: Amount,
  /** How many were executed, and in batches of how many on average. */
  images: Type.Integer({ minimum: 1 }),
  meanBatch: Type.Number({ minimum: 1 }),
  /** Execution of the image's batch. */
  meanMs: Positive,
  /** Evenly spaced in probability, sorted: the distribution, not its mean. */
  quantilesMs: Type.Array(Positive, { minItems: 2 }),
});
export type ShapeTimes = Static<typeof ShapeTimes>;

/** A batch with so many workers. */
export const CapacityLevel = Type.Object({
  workers: Type.Integer({ minimum: 1 }),
  images: Count,
  perSecond: Positive,
  /** Of `perSecond`, 95 %; `high` null: no upper end. */
  low: Positive,
  high: Type.Union([Positive, Type.Null()]),
  /** Times per image of equal blocks, ms. */
  blocksMs: Type.Array(Amount),
  /** By role; what a role spends on the whole batch by its images. */
  cpuMsPerImage: Type.Record(Type.String(), Amount),
  /** Of each stage: its distribution as summarised, ms. */
  stages: Type.Record(
    Type.String(),
    Type.Object({
      count: Count,
      p50Ms: Amount,
      p95Ms: Amount,
      p99Ms: Amount,
      maxMs: Amount,
      cpuMsPerImage: Known,
    }),
  ),
  /** Mean number of images in the service: as counted from outside, and by Little's law, rate × stay. */
  inService: Type.Union([Type.Object({ counted: Amount, byLittle: Amount }), Type.Null()]),
});
export type CapacityLevel = Static<typeof CapacityLevel>;

export const CapacitySection = Type.Object({
  /** Simulated workers: the way to them and back is real, their times are a profile's. */
  simulated: Type.Boolean(),
  /** Of each worker, in images. */
  maxBatch: Type.Integer({ minimum: 1 }),
  levels: Type.Array(CapacityLevel),
  shapes: Type.Array(ShapeTimes),
  /** Bytes an image; null: not measured. */
  bytes: Type.Object({
    /** A file as it was uploaded. */
    file: Known,
    /** Polygons as they are stored. */
    polygons: Known,
    /** Growth of the database, polygons included. */
    database: Known,
    /** Frames with its events, as they are sent to one reader. */
    events: Known,
    /** Of the queue's Redis, for each job that waits. */
    job: Known,
  }),
});
export type CapacitySection = Static<typeof CapacitySection>;
