import { assumedBytes, type BytesName } from './assumptions.ts';
import { figure, firstOutside, type Figure } from './figure.ts';
import type { Ground } from './ground.ts';
import type { Question } from './question.ts';
import { asked } from './rates.ts';
import { megapixelsOf } from './shapes.ts';
import type { SimulationOutcome } from './simulate/simulation.ts';

/** What a load leaves behind, and what goes over the wire. */
export interface Growth {
  /** Images that wait in PostgreSQL's outbox, jobs in Redis, images in worker processes: the most of each. */
  outboxPeak: Figure;
  redisJobsPeak: Figure;
  redisBytes: Figure;
  databaseBytes: Figure;
  storageBytes: Figure;
  uploadBits: Figure;
  resultBytes: Figure;
  eventBytes: Figure;
}

/** Bytes an image of the question's shape: measured ones grow with pixels or cells, as what they hold does. */
export function bytesOf(ground: Ground, question: Question): Record<BytesName, Figure> {
  const { shape } = asked(ground, question);
  const { typical } = ground.service;
  const assumed = assumedBytes(shape);
  const byPixels = megapixelsOf(shape) / megapixelsOf(typical);
  const byCells = typical.cells > 0 ? shape.cells / typical.cells : 1;
  const factorOf: Record<BytesName, number> = {
    file: byPixels,
    polygons: byCells,
    database: byCells,
    events: 1,
    job: 1,
  };
  const of = (name: BytesName): Figure => {
    const known = ground.bytes[name];
    if (known === undefined || known.value === null) return assumed[name];
    const polygons = ground.bytes.polygons?.value ?? null;
    // Rows stay what they are, only what they hold of polygons grows.
    const rowsKnown = name === 'database' && polygons !== null && polygons < known.value;
    const factor = rowsKnown ? 1 + (polygons / known.value) * (byCells - 1) : factorOf[name];
    const apart = Math.abs(factor - 1) > 0.05;
    return {
      ...figure(known.value * factor, 'bytes', {
        origin: known.origin,
        source: apart ? `${known.source}, times ${factor.toFixed(2)} for the shape` : known.source,
      }),
      ...firstOutside(known.outside, apart ? `images of ${shape.side} pixels and ${shape.cells} cells` : null),
    };
  };
  return { file: of('file'), polygons: of('polygons'), database: of('database'), events: of('events'), job: of('job') };
}

const times = (one: Figure, count: number, unit: Figure['unit'] = one.unit): Figure => ({
  ...one,
  value: one.value === null ? null : one.value * count,
  unit,
});

/** @param run a simulated run with the workers of the answer @param tookMs over which images come in */
export function growthOf(ground: Ground, question: Question, run: SimulationOutcome | null, tookMs: number): Growth {
  const { images, p99Ms } = question;
  const bytes = bytesOf(ground, question);
  const simulated = (value: number | null, source: string): Figure =>
    figure(value, 'count', { origin: 'simulated', source });
  // All at once: what waits is there from the start, however many are simulated.
  const outbox = p99Ms === null ? Math.max(0, images - (run?.peaks.redis ?? 0)) : (run?.peaks.outbox ?? null);
  const jobs = run === null ? null : run.peaks.redis;
  const few = run === null ? 'no run was simulated' : `simulated run of ${run.images.toLocaleString('en-US')} images`;
  return {
    outboxPeak: simulated(outbox, p99Ms === null ? 'all images wait in PostgreSQL at the start' : few),
    redisJobsPeak: simulated(jobs, `${few}; QUEUE_WINDOW bounds it`),
    redisBytes: jobs === null ? figure(null, 'bytes', bytes.job) : times(bytes.job, jobs),
    databaseBytes: times(bytes.database, images),
    storageBytes: times(bytes.file, images),
    uploadBits: times(bytes.file, (images * 8 * 1000) / tookMs, 'bits-per-second'),
    resultBytes: times(bytes.polygons, images),
    eventBytes: times(bytes.events, images),
  };
}
