import type { GalleryScenario } from '../../../scenarios/scenario.ts';
import type { Measurements, ReportTable, RunData } from '../contract.ts';
import { heapBytes, renderingOf, rendererPssBytes, retainedBytes } from '../drivers/browser/memory.ts';
import { openObservedPage, type ObservedPage } from '../drivers/browser/page.ts';
import { plainSweepP95 } from '../drivers/browser/plain-page.ts';
import { framesOf, isLate } from '../judge/frames.ts';
import { quantile } from '../measure/statistics.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { seedFinishedProject } from './finished-project.ts';
import { launchFor, runLoad, type Load } from './load-run.ts';

const MB = 1e6;
const LIST = '[data-gallery-grid]';

export function runGallery(scenario: GalleryScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  return runLoad({ scenario, plan: {}, startedAt, input }, (load) => gallery(scenario, load));
}

async function gallery({ images: { count }, phases }: GalleryScenario, load: Load): Promise<void> {
  const { fleet, signal, input } = load;
  const { options } = input;
  const images = options.count ?? count;
  load.images = images;
  const api = await load.start('api');
  const { projectId } = await load.phase('rows of images', () =>
    seedFinishedProject(fleet.sql, { dataDir: fleet.dataDir, name: 'gallery', images, seed: options.seed, ...phases }),
  );
  const launched = await launchFor(load);
  try {
    const open = () =>
      openObservedPage({
        browser: launched.browser,
        baseUrl: api.url!,
        path: `/projects/${projectId}`,
        key: fleet.key,
        timeoutMs: phases.timeoutMs,
      });
    const rows = await fleet.sql<{ id: string; cells: number }[]>`
      SELECT id, polygon_count AS cells FROM images WHERE project_id = ${projectId}`;
    const cells = new Map(rows.map((row) => [row.id, row.cells]));
    const plan = { ...phases, images, cells, signal };
    // A service that has just been started connects, compiles and begins processes for who comes first: told apart.
    const early = await load.phase('first visitor', async () => {
      const visitor = await open();
      const lookout = createLookout(visitor, plan);
      const look = await lookAt(visitor, lookout);
      await visitor.close();
      return { ...look, wrongCells: lookout.wrongCells };
    });
    const page = await load.phase('open', open);
    const figures = await load.phase('scroll', () => measureGallery(page, plan));
    figures.wrongCells += early.wrongCells;
    Object.assign(load.measurements, measurementsOf(figures));
    load.tables.push(
      tableOf(figures, {
        images,
        early,
        rendering: await renderingOf(launched.browser),
        pssBytes: await rendererPssBytes(launched.browser),
      }),
    );
    if (page.errors.length > 0) load.notes.push(`the page threw: ${page.errors[0]}`);
  } finally {
    await launched.close();
  }
}

interface Look {
  firstPaintMs: number | null;
  /** From the first paint until what is in view is right and the page is quiet, or null where it never was. */
  settleMs: number | null;
  /** The same from the moment at which the page knows its first images. */
  rightMs: number | null;
}
export interface GalleryFigures extends Look {
  /** The same from a press of End. */
  jumpMs: number | null;
  /** From another order being chosen until the page shows it. */
  orderMs: number | null;
  domNodes: number;
  heapBeforeBytes: number;
  heapPeakBytes: number;
  heapRetainedBytes: number;
  frameP95sMs: number[];
  /** Of a plain page that was scrolled after each sweep with late frames. */
  plainP95sMs: number[];
  wrongCells: number;
  requests: number;
}

interface Plan {
  images: number;
  /** What the database says: cells found in each image. */
  cells: ReadonlyMap<string, number>;
  sweeps: number;
  sweepMs: number;
  visits: number;
  quietMs: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Cells of which at least a pixel can be seen in the list's box, whose own edges are no whole pixels: image and polygons drawn, -1 for none. */
export const IN_VIEW = `(() => {
  const list = document.querySelector('${LIST}').getBoundingClientRect();
  return [...document.querySelectorAll('[data-image-id]')].flatMap((cell) => {
    const { top, bottom } = cell.getBoundingClientRect();
    if (bottom <= list.top + 1 || top >= Math.min(list.bottom, innerHeight) - 1) return [];
    return [[cell.dataset.imageId, Number(cell.dataset.polygonCount ?? -1)]];
  });
})()`;

const since = (at: number | null, from: number | null) =>
  at === null || from === null ? null : Math.max(0, at - from);

type LookoutPlan = Pick<Plan, 'cells' | 'quietMs' | 'timeoutMs' | 'signal'>;

/** Waits until a page shows what the database says, and nothing moves. */
function createLookout(page: ObservedPage, { cells, quietMs, timeoutMs, signal }: LookoutPlan) {
  const wrong = async (): Promise<number> => {
    const seen = await page.evaluate<[string, number][]>(IN_VIEW);
    return seen.length === 0 ? 1 : seen.filter(([id, drawn]) => cells.get(id) !== drawn).length;
  };
  let wrongCells = 0;
  /** Page clock of the moment from which on it was right and quiet; null past the time for it. */
  const settled = async (): Promise<number | null> => {
    const until = Date.now() + timeoutMs;
    while (Date.now() < until) {
      if ((await page.quietMs()) >= quietMs && (await wrong()) === 0) {
        const { now } = await page.dump();
        return now - (await page.quietMs());
      }
      await pause(20, signal);
    }
    wrongCells += await wrong();
    return null;
  };
  return {
    settled,
    /** Those that were wrong when the time was up. */
    get wrongCells() {
      return wrongCells;
    },
  };
}

async function lookAt(page: ObservedPage, { settled }: ReturnType<typeof createLookout>): Promise<Look> {
  const settledAt = await settled();
  const firstPaintMs = await page.firstPaint();
  const { firstCellAt } = await page.dump();
  return { firstPaintMs, settleMs: since(settledAt, firstPaintMs), rightMs: since(settledAt, firstCellAt) };
}

/** The page stands on a finished project. */
export async function measureGallery(page: ObservedPage, plan: Plan): Promise<GalleryFigures> {
  const { images, sweeps, sweepMs, visits, timeoutMs, signal } = plan;
  const lookout = createLookout(page, plan);
  const { settled } = lookout;
  const look = await lookAt(page, lookout);
  const heapBeforeBytes = await retainedBytes(page);
  let heapPeakBytes = heapBeforeBytes;

  const frameP95sMs: number[] = [];
  const plainP95sMs: number[] = [];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const { intervals } = await page.sweep(sweepMs, sweep % 2 === 0);
    const p95 = quantile(intervals, 0.95);
    frameP95sMs.push(p95);
    if (isLate('gallery_frame_p95_ms', p95)) plainP95sMs.push(await plainSweepP95(page.page.browser(), sweepMs));
    heapPeakBytes = Math.max(heapPeakBytes, await heapBytes(page));
    await settled();
  }
  for (let visit = 1; visit <= visits; visit++) {
    await page.evaluate(
      `{ const list = document.querySelector('${LIST}'); list.scrollTop = (list.scrollHeight * ${visit}) / ${visits + 1}; }`,
    );
    await settled();
    heapPeakBytes = Math.max(heapPeakBytes, await heapBytes(page));
  }
  await page.evaluate(`document.querySelector('${LIST}').scrollTop = 0`);
  await settled();
  const heapRetainedBytes = await retainedBytes(page);

  const clock = () => page.evaluate<number>('performance.now()');
  await page.page.focus(LIST);
  const pressedAt = await clock();
  await page.page.keyboard.press('End');
  await page.page.waitForSelector(`[aria-posinset="${images}"]`, { timeout: timeoutMs });
  const jumpMs = since(await settled(), pressedAt);
  await page.page.keyboard.press('Home');
  const first = () =>
    page.evaluate<string | null>(`document.querySelector('[aria-posinset="1"]')?.dataset.imageId ?? null`);
  await page.page.waitForSelector('[aria-posinset="1"]', { timeout: timeoutMs });
  const before = await first();
  const orderedAt = await clock();
  await page.page.select('.list-tools select', '-name');
  const until = Date.now() + timeoutMs;
  while ((await first()) === before && Date.now() < until) await pause(20, signal);
  const orderMs = (await first()) === before ? null : since(await settled(), orderedAt);
  return {
    ...look,
    jumpMs,
    orderMs,
    domNodes: (await page.dump()).domNodesMax,
    heapBeforeBytes,
    heapPeakBytes,
    heapRetainedBytes,
    frameP95sMs,
    plainP95sMs,
    wrongCells: lookout.wrongCells,
    requests: page.network.all().length,
  };
}

export function measurementsOf(figures: GalleryFigures): Measurements {
  const { firstPaintMs, frameP95sMs: p95sMs, plainP95sMs, settleMs } = figures;
  const never = settleMs === null ? { note: 'the page never settled' } : {};
  return {
    gallery_first_paint_ms: {
      actual: firstPaintMs,
      ...(firstPaintMs === null && { note: 'the browser reported no first contentful paint' }),
    },
    gallery_dom_nodes: { actual: figures.domNodes },
    gallery_heap_retained_bytes: { actual: figures.heapRetainedBytes },
    gallery_frame_p95_ms: framesOf('gallery_frame_p95_ms', { p95sMs, plainP95sMs }),
    gallery_wrong_cells: { actual: figures.wrongCells, ...never },
  };
}

/** @param told how the browser draws, by its own word */
export function tableOf(
  figures: GalleryFigures,
  given: { images: number; early: Look; rendering: 'hardware' | 'software'; pssBytes: number },
): ReportTable {
  const { images, early, rendering, pssBytes } = given;
  const ms = (value: number | null): string => (value === null ? 'never' : `${Math.round(value)} ms`);
  const mb = (value: number): string => `${(value / MB).toFixed(1)} MB`;
  const rows: [string, string][] = [
    ['first paint until what is in view is right and quiet', ms(figures.settleMs)],
    ['the same for the first visitor since the service was started', ms(early.settleMs)],
    ['first cells until what is in view is right and quiet', ms(figures.rightMs)],
    ['End pressed until the last images are', ms(figures.jumpMs)],
    ['ordered by name until that is', ms(figures.orderMs)],
    ['heap retained before scrolling', mb(figures.heapBeforeBytes)],
    ['most heap while scrolling', mb(figures.heapPeakBytes)],
    ['renderer’s memory at the end (PSS)', mb(pssBytes)],
    ['requests of the page', String(figures.requests)],
  ];
  return {
    title: 'The gallery',
    note: `${images} finished images, in a browser that draws by ${rendering}. Quiet is half a second without a change or a long frame; what it took is told without it.`,
    columns: [{ name: 'what' }, { name: 'figure' }],
    rows,
  };
}
