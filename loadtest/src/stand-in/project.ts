import { randomUUID } from 'node:crypto';
import { IMAGE_STATUSES, type ImageStatus } from '#contract/names.ts';
import type { Batch } from '#contract/batches.ts';
import type { BatchState, EventsFrame, ImageEvent } from '#contract/events.ts';
import { encodeIndex, type ImageCounts } from '#contract/index-format.ts';
import type { Image } from '#contract/images.ts';
import { IMAGE_PX, mockResult, type MockResult } from './results.ts';
import { uuidv7 } from '../../../service/src/batches/uuid.ts';

export interface MockImage {
  id: string;
  status: ImageStatus;
  batchId: string | null;
  result: MockResult | null;
}

const COLOURS = [
  [38, 44, 52],
  [52, 60, 58],
  [30, 36, 44],
  [66, 62, 70],
] as const;

/** A project in memory: images, batches that complete when told to, and the numbered events of it all. */
export function createMockProject(count: number, name = 'Mock project') {
  const id = randomUUID();
  const epoch = randomUUID();
  const images: MockImage[] = Array.from({ length: count }, () => ({
    id: randomUUID(),
    status: 'uploaded',
    batchId: null,
    result: null,
  }));
  const byId = new Map(images.map((image, position) => [image.id, position]));
  const batches: Batch[] = [];
  const log: ImageEvent[] = [];
  const listeners = new Set<(frame: EventsFrame) => void>();

  const stateOf = ({ id: batchId, status, pausedReason, total, counts, imagesPerSecond, eta }: Batch): BatchState => ({
    id: batchId,
    status,
    pausedReason,
    total,
    counts: { ...counts },
    imagesPerSecond,
    eta,
  });
  /** One frame of what has just become true. */
  function publish(events: Omit<ImageEvent, 'seq'>[]): void {
    const from = log.length + 1;
    const numbered = events.map((event, i) => ({ ...event, seq: from + i }));
    log.push(...numbered);
    const newest = batches.at(-1);
    const frame: EventsFrame = {
      type: 'events',
      epoch,
      from,
      to: log.length,
      events: numbered,
      batches: newest ? [stateOf(newest)] : [],
    };
    for (const listener of listeners) listener(frame);
  }
  return {
    id,
    epoch,
    images,
    batches,
    log,
    listeners,
    publish,
    stateOf,
    get seq() {
      return log.length;
    },
    project: () => ({ id, name, pixelSizeUm: null, imageCount: images.length, createdAt: new Date(0).toISOString() }),
    positionOf: (imageId: string): number => byId.get(imageId) ?? -1,
    image: (position: number): Image => {
      const { id: imageId, status, result, batchId } = images[position]!;
      return {
        id: imageId,
        projectId: id,
        name: `image-${position + 1}.png`,
        relativePath: null,
        width: IMAGE_PX,
        height: IMAGE_PX,
        channels: 1,
        pages: 1,
        sizeBytes: 40_000,
        sha256: '',
        mimeType: 'image/png',
        status,
        createdAt: new Date(0).toISOString(),
        polygonCount: result?.polygonCount ?? null,
        batchId,
        error: null,
      };
    },
    /** Of the images with `q` in their name, in the order of their names or, for `-…`, the other way; only so many from the beginning with `first`. */
    index({ q = '', sort = '', first }: { q?: string; sort?: string; first?: string } = {}): Uint8Array<ArrayBuffer> {
      const places = images.map((_, i) => i).filter((i) => `image-${i + 1}.png`.includes(q));
      const found = (sort.startsWith('-') ? places.toReversed() : places)
        .slice(0, first === undefined ? undefined : Number(first))
        .map((i) => images[i]!);
      const ids = new Uint8Array(found.length * 16);
      const colours = new Uint8Array(found.length * 3);
      found.forEach((image, i) => {
        ids.set(Buffer.from(image.id.replaceAll('-', ''), 'hex'), i * 16);
        colours.set(COLOURS[i % COLOURS.length]!, i * 3);
      });
      const statuses = Uint8Array.from(found, ({ status }) => IMAGE_STATUSES.indexOf(status));
      return encodeIndex({ epoch, seq: log.length, count: found.length, ids, statuses, colours });
    },
    counts(): ImageCounts {
      const of = (status: string): number => images.filter((image) => image.status === status).length;
      return Object.fromEntries(IMAGE_STATUSES.map((status) => [status, of(status)])) as ImageCounts;
    },
    /** Of all images, or of those named. */
    newBatch(imageIds?: readonly string[]): Batch {
      const total = imageIds?.length ?? images.length;
      const batch: Batch = {
        id: uuidv7(),
        projectId: id,
        status: 'running',
        pausedReason: null,
        model: 'nuclei',
        modelVersion: '1',
        threshold: 0.5,
        priority: 0,
        total,
        reused: 0,
        imagesPerSecond: 0,
        eta: null,
        retryOf: null,
        forecast: null,
        counts: { queued: total, processing: 0, completed: 0, failed: 0, cancelled: 0 },
        createdAt: new Date().toISOString(),
        startedAt: new Date().toISOString(),
        finishedAt: null,
      };
      batches.push(batch);
      return batch;
    },
    /** Ends images of a batch and publishes one frame. */
    finish(batch: Batch, positions: number[], failing: (position: number) => boolean = () => false): void {
      const events = positions.map((position): Omit<ImageEvent, 'seq'> => {
        const image = images[position]!;
        const failed = failing(position);
        image.result = failed ? null : (image.result ?? mockResult(position));
        image.status = failed ? 'failed' : 'completed';
        image.batchId = batch.id;
        batch.counts.queued--;
        batch.counts[image.status as 'failed' | 'completed']++;
        return {
          imageId: image.id,
          batchId: batch.id,
          status: image.status,
          ...(failed ? { code: 'MODEL_ERROR' as const } : { polygonCount: image.result!.polygonCount }),
        };
      });
      if (batch.counts.queued === 0) batch.status = 'completed';
      publish(events);
    },
  };
}
export type MockProject = ReturnType<typeof createMockProject>;
