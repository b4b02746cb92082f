import type { BlockFigures, Triple } from './contract.ts';

/** A metric that times gate: `matters` is the smallest growth worth a red build, as a share. */
export interface PrimaryMetric {
  metric: 'cpuMsPerImage' | 'batchMsPerImage' | 'imageP50Ms' | 'imageP95Ms';
  name: string;
  matters: number;
  /** A clock is part of it, so that foreign load and a late generator are too. CPU time is counted by the kernel. */
  clock: boolean;
}

/** Three, no more: each further one makes the others harder to see. */
export const PRIMARY: readonly PrimaryMetric[] = [
  { metric: 'cpuMsPerImage', name: 'CPU per image', matters: 0.05, clock: false },
  { metric: 'imageP50Ms', name: 'image, POST to event, p50', matters: 0.1, clock: true },
  { metric: 'imageP95Ms', name: 'image, POST to event, p95', matters: 0.15, clock: true },
];

/** Of a service whose processes are not known, the nearest thing to its CPU that shows from outside. */
const UNTOLD: readonly PrimaryMetric[] = PRIMARY.map((one) =>
  one.metric === 'cpuMsPerImage'
    ? { metric: 'batchMsPerImage', name: 'batch, by its images', matters: one.matters, clock: true }
    : one,
);

export const blocksOf = (triples: readonly Triple[]): BlockFigures[] =>
  triples.flatMap(({ a, again, b }) => [a, again, b]);

/** What these blocks are judged by. */
export const primaryOf = (triples: readonly Triple[]): readonly PrimaryMetric[] =>
  blocksOf(triples).every(({ cpuMsPerImage }) => cpuMsPerImage !== null) ? PRIMARY : UNTOLD;

/** NaN where it was not told. */
export const valueOf = (figures: BlockFigures, { metric }: Pick<PrimaryMetric, 'metric'>): number =>
  figures[metric] ?? NaN;

/** Reported beside the primary ones and never judged. */
export const REPORTED = [
  { metric: 'apiP50Ms', name: 'API reads, p50' },
  { metric: 'apiP95Ms', name: 'API reads, p95' },
  { metric: 'imagesPerSecond', name: 'images per second' },
] as const satisfies readonly { metric: keyof BlockFigures; name: string }[];

export interface CountMetric {
  metric:
    'queriesPerImage' | 'apiBytesPerImage' | 'framesPerBatch' | 'eventsWrong' | 'notCompleted' | 'listenerWarnings';
  name: string;
  unit: 'count' | 'bytes';
  /** The largest value that is no growth over base's. */
  limit: (base: number) => number;
  why: string;
  /** One block is enough: what this counts does not happen by chance. */
  any?: true;
  /** Equal blocks differ: it is tested by pairs as well, and this is what the middle of the differences must exceed. */
  spread?: number;
}

/** What no clock is part of. Each tolerance is said where it stands; below it, equal programs differ. */
export const COUNTS: readonly CountMetric[] = [
  {
    metric: 'queriesPerImage',
    name: 'queries per image',
    unit: 'count',
    // Blocks of 100 images of one program differ by up to 0.3: windows hold more or fewer images.
    limit: (base) => base + 0.5,
    why: 'half a statement more for each image',
    spread: 0.5,
  },
  {
    metric: 'apiBytesPerImage',
    name: 'API bytes per image',
    unit: 'bytes',
    // Durations in the replies have more or fewer digits.
    limit: (base) => base * 1.02,
    why: '2 % more bytes',
  },
  {
    metric: 'framesPerBatch',
    name: 'event frames per batch',
    unit: 'count',
    // A slower block has more windows; without windows a block has a frame for each event.
    limit: (base) => base * 1.5 + 2,
    why: 'half as many frames more',
  },
  {
    metric: 'eventsWrong',
    name: 'events missing or twice',
    unit: 'count',
    limit: (base) => base,
    why: 'events that did not come exactly once',
    any: true,
  },
  {
    metric: 'notCompleted',
    name: 'images not completed',
    unit: 'count',
    limit: (base) => base,
    why: 'images failed that base completes',
    any: true,
  },
  {
    metric: 'listenerWarnings',
    name: 'warnings of leaked listeners',
    unit: 'count',
    limit: (base) => base,
    why: 'listeners are added and never taken away',
    any: true,
  },
];
