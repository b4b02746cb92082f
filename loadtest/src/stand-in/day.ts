import { EVENT_WINDOW_MAX, EVENT_WINDOW_MS } from '#contract/events.ts';
import type { NowReply } from '#contract/now.ts';
import { pause } from '../run/stop.ts';
import { busyReading } from './busy-day.ts';
import { createMockProject } from './project.ts';
import { mockResult } from './results.ts';
import { startMockServer } from './server.ts';

/** A few results for all images: each has some of its own on no page. */
const RESULTS = 64;
/** No timer here is in time below it. */
const LEAST_MS = 5;

export interface DayOptions {
  /** Of the gallery's project: all of them end, in one batch after the other. */
  images: number;
  imagesPerSecond: number;
  /** Seconds of the day for one of ours. */
  speed: number;
  /** So many end, and no more. */
  most?: number;
  /** Folder of the built pages. */
  dist?: string;
  /** What the operator's page is answered in a second of the day. */
  reading?: (second: number) => NowReply;
}
export type Day = Awaited<ReturnType<typeof startDay>>;

/**
 * A stand-in for the service on a busy day that goes `speed` times as fast as ours: images of a project end and are told of in frames, as
 * the service sends them, and each reading of the operator's page finds all of it changed.
 */
export async function startDay(options: DayOptions) {
  const { images, imagesPerSecond, speed, most = Infinity, dist, reading = busyReading } = options;
  const project = createMockProject(images, 'A busy day');
  const results = Array.from({ length: RESULTS }, (_, i) => mockResult(i));
  project.images.forEach((image, i) => (image.result = results[i % RESULTS]!));
  /** `late`: the most events that had come together before they were told. */
  const told = { readings: 0, events: 0, late: 0 };
  let began = performance.now();
  let silent = false;
  const second = (): number => ((performance.now() - began) / 1000) * speed;
  const server = await startMockServer({
    project,
    run: () => {},
    silent: () => silent,
    now: () => {
      told.readings++;
      return reading(Math.floor(second()));
    },
    ...(dist === undefined ? {} : { dist }),
  });
  let batch = project.newBatch();
  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    const due = Math.min(most, Math.floor(second() * imagesPerSecond));
    told.late = Math.max(told.late, due - told.events);
    while (told.events < due) {
      const from = told.events % images;
      if (from === 0 && told.events > 0) batch = project.newBatch();
      const count = Math.min(EVENT_WINDOW_MAX, due - told.events, images - from);
      const places = Array.from({ length: count }, (_, i) => from + i);
      project.finish(batch, places);
      told.events += count;
    }
  }
  return {
    url: server.url,
    project,
    told,
    /** Of the day, since it began. */
    second,
    /** Seconds of the day since it was told that the image at this place has ended; null where it has not been yet. */
    endedAgo(place: number): number | null {
      const newest = told.events - 1;
      return place > newest ? null : ((newest - place) % images) / imagesPerSecond;
    },
    /** The day begins. */
    begin(): void {
      began = performance.now();
      timer = setInterval(tell, Math.max(LEAST_MS, EVENT_WINDOW_MS / speed));
    },
    async until(at: number, signal: AbortSignal): Promise<void> {
      await pause(Math.max(0, ((at - second()) / speed) * 1000), signal);
    },
    /** Nobody is told anything, while the day goes on. */
    beSilent(on: boolean): void {
      silent = on;
      if (on) server.dropSockets();
    },
    async close(): Promise<void> {
      clearInterval(timer);
      await server.close();
    },
  };
}
