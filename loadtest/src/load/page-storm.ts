import type { PageStormScenario } from '../../../scenarios/scenario.ts';
import type { Measurement, Measurements, ReportTable, RunData } from '../contract.ts';
import { framesFor } from '../drivers/browser/frames.ts';
import { renderingOf, retainedBytes } from '../drivers/browser/memory.ts';
import { onPlainPage } from '../drivers/browser/plain-page.ts';
import { floorOf, isLate } from '../judge/frames.ts';
import { percentileOf } from '../measure/percentile.ts';
import { quantile } from '../measure/statistics.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { startDay, type Day } from '../stand-in/day.ts';
import { openGallery, type HourPage } from './hour-pages.ts';
import { launchFor, runLoad, type Load } from './load-run.ts';

const MB = 1e6;
const AGAIN_MS = 5;
/** Seconds of events that a stand-in in time has never waiting: it tells ten times a second. */
const LATE_S = 0.4;

export function runPageStorm(scenario: PageStormScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  return runLoad({ scenario, plan: {}, startedAt, input }, (load) => pageStorm(scenario, load));
}

async function pageStorm({ images: { count }, phases }: PageStormScenario, load: Load): Promise<void> {
  const { signal, input } = load;
  const { eventsPerSecond } = phases;
  const images = (load.images = input.options.count ?? count);
  const launched = await launchFor(load, { notesRequests: false });
  const day = await startDay({ images, imagesPerSecond: eventsPerSecond, speed: 1, most: images });
  try {
    const page = await load.phase('open', () =>
      openGallery(launched.browser, day, { speed: 1, resultsWithinSeconds: 0 }),
    );
    const figures = await load.phase('the storm', () => measureStorm(page, day, { ...phases, images, signal }));
    Object.assign(load.measurements, measurementsOf(figures, phases));
    load.tables.push(tableOf(figures, { images, rendering: await renderingOf(launched.browser) }));
    load.notes.push(...page.errors.map((error) => `the page threw: ${error}`));
  } finally {
    await day.close();
    await launched.close();
  }
}

export interface StormFigures {
  /** Of the steady part, ms. */
  frames: number[];
  /** Of a plain page for as long, where these were late; else none. */
  plainFrames: number[];
  /** Null where the page was not right in time. */
  settleMs: number | null;
  /** What was wrong at the last look, in words. */
  fault: string | null;
  seconds: number;
  /** The most events that the stand-in had to tell at once. */
  lateEvents: number;
  heapBytes: { before: number; after: number };
}
type FrameFigure = (intervals: readonly number[]) => number;
const p95: FrameFigure = (intervals) => quantile(intervals, 0.95);
const longest: FrameFigure = (intervals) => Math.max(...intervals);
const FRAME_FIGURES = [
  ['storm_page_frame_p95_ms', p95],
  ['storm_page_longest_frame_ms', longest],
] as const;

interface Plan {
  images: number;
  eventsPerSecond: number;
  edgeShare: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The gallery stands open on a day that has not begun, and on which as many images end as it has. */
export async function measureStorm(page: HourPage, day: Day, plan: Plan): Promise<StormFigures> {
  const { images, eventsPerSecond, edgeShare, timeoutMs, signal } = plan;
  const lengthMs = (images / eventsPerSecond) * 1000;
  const before = await retainedBytes(page);
  day.begin();
  const began = performance.now();
  await pause(lengthMs * edgeShare, signal);
  const record = framesFor(lengthMs * (1 - 2 * edgeShare));
  const frames = (await page.page.evaluate(record)) as number[];
  while (day.told.events < images) await pause(AGAIN_MS, signal);
  const ended = performance.now();
  let fault = await page.fault(images);
  while (fault !== null && performance.now() - ended < timeoutMs) {
    await pause(AGAIN_MS, signal);
    fault = await page.fault(images);
  }
  const settleMs = fault === null ? performance.now() - ended : null;
  const figures = {
    frames,
    settleMs,
    fault,
    seconds: (ended - began) / 1000,
    lateEvents: day.told.late,
    heapBytes: { before, after: await retainedBytes(page) },
  };
  const late = frames.length > 0 && FRAME_FIGURES.some(([budget, figure]) => isLate(budget, figure(frames)));
  const plainFrames = late
    ? await onPlainPage(page.page.browser(), 'told', async (plain) => (await plain.page.evaluate(record)) as number[])
    : [];
  return { ...figures, plainFrames };
}

export function measurementsOf(
  { frames, plainFrames, settleMs, fault, lateEvents }: StormFigures,
  { eventsPerSecond, timeoutMs }: Pick<Plan, 'eventsPerSecond' | 'timeoutMs'>,
): Measurements {
  const late = lateEvents > eventsPerSecond * LATE_S;
  const weak = late ? { weakened: `the stand-in was late: ${lateEvents} events at once` } : {};
  const ofFrames = (figure: FrameFigure): Measurement =>
    frames.length === 0
      ? { actual: null, note: 'no frame was seen' }
      : { actual: figure(frames), ...floorOf(plainFrames.length > 0 ? [figure(plainFrames)] : []), ...weak };
  return {
    storm_page_frame_p95_ms: { ...ofFrames(p95), ...percentileOf(frames, 0.95) },
    storm_page_longest_frame_ms: ofFrames(longest),
    storm_page_settle_ms: {
      actual: settleMs ?? timeoutMs,
      ...(fault === null ? weak : { note: `the gallery ${fault}` }),
    },
  };
}

function tableOf(
  { frames, settleMs, seconds, lateEvents, heapBytes: { before, after } }: StormFigures,
  { images, rendering }: { images: number; rendering: string },
): ReportTable {
  const rows: [string, string][] = [
    ['events told', `${images.toLocaleString('en-US')} in ${seconds.toFixed(1)} s`],
    ['most of them at once', lateEvents.toLocaleString('en-US')],
    ['frames of the steady part', frames.length.toLocaleString('en-US')],
    ['frame interval, median', `${quantile(frames, 0.5).toFixed(1)} ms`],
    ['frames above 100 ms', String(frames.filter((ms) => ms > 100).length)],
    ['right after the last event', settleMs === null ? 'never' : `${Math.round(settleMs)} ms`],
    ['heap, DOM and array buffers before', `${(before / MB).toFixed(1)} MB`],
    ['and after', `${(after / MB).toFixed(1)} MB`],
  ];
  return {
    title: 'The storm',
    note: `A stand-in for the service tells a gallery of its images’ ends, at most 500 in a frame; a browser that draws by ${rendering}.`,
    columns: [{ name: 'what' }, { name: 'figure' }],
    rows,
  };
}
