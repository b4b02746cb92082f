import { isTerminal } from '#contract/common.ts';
import type { ServerFrame } from '#contract/events.ts';
import { createFrameLog } from '../drivers/ledger-socket.ts';
import { openResumingSocket } from './resuming-socket.ts';

/** Counts what one reader was told, in a few bytes an image: as many events as a storm has do not fit as objects. */
export function createTally(indexOf: ReadonlyMap<string, number>) {
  const ends = new Uint8Array(indexOf.size);
  const arrivedMs = new Float64Array(indexOf.size);
  const count = { frames: 0, events: 0, heard: 0, strange: 0, firstMs: Number.NaN, lastMs: Number.NaN };
  const repeats = () => ends.reduce((sum, times) => sum + (times > 1 ? 1 : 0), 0);
  return {
    count: count as Readonly<typeof count>,
    add(frame: ServerFrame, atMs: number): void {
      if (frame.type !== 'events' || frame.events.length === 0) return;
      count.frames++;
      count.events += frame.events.length;
      if (Number.isNaN(count.firstMs)) count.firstMs = atMs;
      count.lastMs = atMs;
      for (const { imageId, status } of frame.events) {
        if (!isTerminal(status)) continue;
        const index = indexOf.get(imageId);
        if (index === undefined) count.strange++;
        else if (ends[index]! < 255 && ends[index]!++ === 0) {
          count.heard++;
          arrivedMs[index] = atMs;
        }
      }
    },
    /** When an image's end was first told. */
    toldAt: (imageId: string): number | undefined => arrivedMs[indexOf.get(imageId) ?? -1] || undefined,
    missing: () => ends.reduce((sum, times) => sum + (times === 0 ? 1 : 0), 0),
    /** Images told of more than once. */
    repeats,
    /** These, and events of images that nobody sent. */
    duplicates: () => repeats() + count.strange,
    /** Frames by one for each window, and one for each full frame. */
    framesRatio: (windowMs: number, windowMax: number): number =>
      count.frames / (Math.max(1, (count.lastMs - count.firstMs) / windowMs) + count.events / windowMax),
  };
}
export type Tally = ReturnType<typeof createTally>;

export function openStormReader(given: {
  url: string;
  key: string;
  projectId: string;
  indexOf: ReadonlyMap<string, number>;
}) {
  const tally = createTally(given.indexOf);
  const socket = openResumingSocket({
    ...given,
    log: createFrameLog({ keep: false }),
    onFrame: (frame, atMs) => tally.add(frame, atMs),
  });
  return {
    tally,
    cut: socket.cut,
    close: () => socket.close(),
    isOpen: () => socket.position() !== null,
    cuts: () => socket.codes().length,
    gaps: () => socket.log.sequenceGaps() + socket.log.snapshots(),
  };
}
export type StormReader = ReturnType<typeof openStormReader>;
