import type { PageHourScenario } from '../../../scenarios/scenario.ts';
import type { BudgetName, Measurement, Measurements, ReportPlot, ReportTable, RunData } from '../contract.ts';
import { retainedBytes } from '../drivers/browser/memory.ts';
import { scriptSizes, scriptsTable } from '../measure/script-sizes.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { startDay, type Day } from '../stand-in/day.ts';
import { openHourPages, type HourPage, type HourPageName } from './hour-pages.ts';
import { launchFor, runLoad, type Load } from './load-run.ts';
import { theilSen, type Point } from './slope.ts';

const MB = 1e6;
const AGAIN_MS = 20;

export function runPageHour(scenario: PageHourScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  return runLoad({ scenario, plan: {}, startedAt, input }, (load) => pageHour(scenario, load));
}

async function pageHour({ images: { count }, phases }: PageHourScenario, load: Load): Promise<void> {
  const { signal, input } = load;
  const { options, progress } = input;
  const { speed, imagesPerSecond, warmShare } = phases;
  load.images = options.count ?? count;
  const [seconds, looks] = options.quick ? [phases.quickSeconds, phases.quickLooks] : [phases.seconds, phases.looks];
  const launched = await launchFor(load, { notesRequests: false });
  const day = await startDay({ images: load.images, imagesPerSecond, speed });
  try {
    const pages = await load.phase('open', () => openHourPages(launched.browser, day, phases));
    const plan = { ...phases, seconds, looks, signal, onLook: (second: number) => progress.update(Math.round(second)) };
    const figures = await load.phase('the hour', () => measureHour(pages, day, plan));
    Object.assign(load.measurements, measurementsOf(figures, warmShare));
    load.tables.push(tableOf(figures, { speed, imagesPerSecond, images: load.images }));
    load.tables.push(scriptsTable(await scriptSizes()));
    load.plots.push(plotOf(figures));
    load.notes.push(...figures.faults, ...figures.errors.map((error) => `a page threw: ${error}`));
  } finally {
    await day.close();
    await launched.close();
  }
}

export interface HourLook {
  /** Of the day. */
  second: number;
  heapBytes: number;
  nodes: number;
}
export interface HourFigures {
  /** Of the day, until the last look. */
  seconds: number;
  looks: Record<HourPageName, HourLook[]>;
  /** Looks at which a page did not show what it had been told, or not how old that was: each in words. */
  faults: string[];
  told: { readings: number; events: number };
  errors: string[];
}

interface Plan {
  /** Of the day: until the last look. */
  seconds: number;
  looks: number;
  /** Of the day, in its middle: nothing is told, and the pages must say so. */
  silenceSeconds: number;
  speed: number;
  timeoutMs: number;
  signal: AbortSignal;
  onLook?: (second: number) => void;
}

/** The pages stand open on a day that has not begun. */
export async function measureHour(pages: readonly HourPage[], day: Day, plan: Plan): Promise<HourFigures> {
  const { seconds, looks, silenceSeconds, speed, timeoutMs, signal } = plan;
  const found: HourFigures['looks'] = { operator: [], gallery: [] };
  const faults: string[] = [];
  async function until<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const answer = await ask();
      if (isRight(answer) || Date.now() > end) return answer;
      await pause(AGAIN_MS, signal);
    }
  }
  const note = (page: HourPage, what: string) =>
    void faults.push(`second ${Math.round(day.second())}: the ${page.name} ${what}`);
  async function check(page: HourPage): Promise<void> {
    const told = page.told();
    const fault = await until(
      () => page.fault(told),
      (answer) => answer === null,
    );
    if (fault !== null) note(page, fault);
  }
  async function silence(): Promise<void> {
    day.beSilent(true);
    await pause((silenceSeconds / speed) * 1000, signal);
    for (const page of pages)
      if (!(await until(page.saysOld, Boolean))) note(page, 'does not say that it was told nothing');
    day.beSilent(false);
    for (const page of pages) await check(page);
  }
  day.begin();
  for (let look = 1; look <= looks; look++) {
    await day.until((seconds * look) / looks, signal);
    for (const page of pages) {
      await check(page);
      const heapBytes = await retainedBytes(page);
      const nodes = (await page.page.evaluate(`document.getElementsByTagName('*').length`)) as number;
      found[page.name].push({ second: day.second(), heapBytes, nodes });
    }
    plan.onLook?.(day.second());
    if (look === Math.ceil(looks / 2)) await silence();
  }
  // Looks take their time: on a busy machine there is more to see than was asked for.
  return {
    seconds: Math.max(seconds, day.second()),
    looks: found,
    faults,
    told: { ...day.told },
    errors: pages.flatMap(({ errors }) => errors),
  };
}

const GROWTH: Record<HourPageName, BudgetName> = {
  operator: 'hour_operator_growth_bytes',
  gallery: 'hour_gallery_growth_bytes',
};

/**
 * By how much a page grew in the time it was looked at, its beginning left out, in which it fills what it keeps once. Retained memory
 * comes and goes by a tenth with what a collection finds in use, so neither one look nor the last less the first says anything: the
 * median of the slopes of all pairs does.
 */
function growthOf(looks: readonly HourLook[], seconds: number, warmShare: number): Measurement {
  const warm = seconds * warmShare;
  const slope = theilSen(
    looks.flatMap(({ second, heapBytes }): Point[] => (second < warm ? [] : [[second, heapBytes]])),
  );
  if (slope === null) return { actual: null, note: 'too few looks for a slope' };
  const grown = (each: number) => `${((each * seconds) / MB).toFixed(2)} MB`;
  const note = `${grown(slope.slope)} in ${Math.round(seconds)} s of its own, 95 % interval ${grown(slope.low)} to ${grown(slope.high)}, ${slope.points} looks`;
  return { actual: Math.max(0, Math.round(slope.slope * seconds)), note };
}

export function measurementsOf({ looks, seconds, faults }: HourFigures, warmShare: number): Measurements {
  const growth = (page: HourPageName) => [GROWTH[page], growthOf(looks[page], seconds, warmShare)] as const;
  return {
    ...Object.fromEntries([growth('operator'), growth('gallery')]),
    hour_wrong_looks: { actual: faults.length, ...(faults[0] === undefined ? {} : { note: faults[0] }) },
  };
}

const NAMES: Record<HourPageName, string> = { operator: 'operator’s page', gallery: 'gallery' };

function tableOf(
  { looks, seconds, told }: HourFigures,
  of: { speed: number; imagesPerSecond: number; images: number },
): ReportTable {
  const row = (page: HourPageName, heard: number) => {
    const bytes = looks[page].map(({ heapBytes }) => heapBytes);
    const nodes = Math.max(...looks[page].map((look) => look.nodes));
    return [NAMES[page], bytes[0] ?? null, Math.min(...bytes), Math.max(...bytes), bytes.at(-1) ?? null, nodes, heard];
  };
  return {
    title: 'What the pages hold',
    note:
      `Heap, DOM and array buffers after two forced collections each, at ${looks.gallery.length} looks over ${Math.round(seconds)} s of the pages’ own clocks, which go ${of.speed} times as fast. ` +
      `A stand-in for the service tells them: a reading a second, and ${of.imagesPerSecond} images a second that end in a project of ${of.images.toLocaleString('en-US')}. In the middle it falls silent.`,
    columns: [
      { name: 'page' },
      { name: 'first look', unit: 'bytes' },
      { name: 'least', unit: 'bytes' },
      { name: 'most', unit: 'bytes' },
      { name: 'last look', unit: 'bytes' },
      { name: 'most nodes', unit: 'count' },
      { name: 'readings or events told', unit: 'count' },
    ],
    rows: [row('operator', told.readings), row('gallery', told.events)],
  };
}

function plotOf({ looks }: HourFigures): ReportPlot {
  const points = (page: HourPageName) =>
    looks[page].map(({ second, heapBytes }): [number, number] => [second * 1000, heapBytes]);
  return {
    title: 'Memory that the pages retain',
    note: 'By the pages’ own clocks.',
    x: { name: 'time', unit: 'ms' },
    y: { name: 'retained', unit: 'bytes' },
    series: [
      { name: NAMES.operator, points: points('operator') },
      { name: NAMES.gallery, points: points('gallery') },
    ],
  };
}
