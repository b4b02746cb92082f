import type { Batch } from '#contract/batches.ts';
import type { ImageStatus } from '#contract/names.ts';
import type { BatchState, EventsFrame, ImageEvent } from '#contract/events.ts';
import type { Image } from '#contract/images.ts';
import type { Result } from '#contract/results.ts';

/** The negative control's state, as a first version holds it: arrays of objects, mapped over for every event. */
export interface NaiveImage {
  id: string;
  name: string;
  status: ImageStatus;
  /** All polygons as objects, kept for ever. */
  result: Result | null;
  outline: string;
}
export interface NaiveToast {
  key: number;
  words: string;
}
export interface NaiveBatch {
  id: string;
  total: number;
  done: string[];
}

export const toNaiveImage = ({ id, name, status }: Image): NaiveImage => ({
  id,
  name,
  status,
  result: null,
  outline: '',
});

export function applyEvent(images: NaiveImage[], event: ImageEvent): NaiveImage[] {
  return images.map((image) => (image.id === event.imageId ? { ...image, status: event.status, result: null } : image));
}
export function applyResult(images: NaiveImage[], result: Result): NaiveImage[] {
  const outline = result.polygons.map(({ points }) => `M${points.join(' ')}Z`).join('');
  return images.map((image) => (image.id === result.imageId ? { ...image, result, outline } : image));
}

export const isTerminalEvent = ({ status }: ImageEvent): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

/** Counts terminal events itself; the total comes from whoever tells it first. */
export function countEvent(batches: NaiveBatch[], event: ImageEvent): NaiveBatch[] {
  if (!event.batchId || !isTerminalEvent(event)) return batches;
  const known = batches.some(({ id }) => id === event.batchId);
  const all = known ? batches : [...batches, { id: event.batchId, total: 0, done: [] }];
  return all.map((batch) =>
    batch.id === event.batchId && !batch.done.includes(event.imageId)
      ? { ...batch, done: [...batch.done, event.imageId] }
      : batch,
  );
}
export function noteBatch(batches: NaiveBatch[], { id, total }: Batch | BatchState): NaiveBatch[] {
  if (batches.some((batch) => batch.id === id))
    return batches.map((batch) => (batch.id === id ? { ...batch, total } : batch));
  return [...batches, { id, total, done: [] }];
}

export const isEventsFrame = (frame: unknown): frame is EventsFrame =>
  typeof frame === 'object' && frame !== null && (frame as { type?: unknown }).type === 'events';
