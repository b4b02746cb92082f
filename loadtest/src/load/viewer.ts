import type { ViewerScenario } from '../../../scenarios/scenario.ts';
import type { Measurements, ReportTable, RunData } from '../contract.ts';
import { renderingOf, rendererPssBytes } from '../drivers/browser/memory.ts';
import { openObservedPage } from '../drivers/browser/page.ts';
import { framesOf } from '../judge/frames.ts';
import { descendants, readProcess } from '../measure/proc.ts';
import { median } from '../measure/statistics.ts';
import type { RunInput } from '../run/run-input.ts';
import { launchFor, runLoad, type Load } from './load-run.ts';
import { polygonsOfImage, seedOutlines } from './outlines.ts';
import { measureViewer, type ViewerFigures } from './viewer-measure.ts';
import type { Moves } from './viewer-moves.ts';

const MB = 1e6;
/** Share of the outlines that must have been judged: those at the edges of the stage are not. */
const LEAST_SEEN = 0.9;

export function runViewer(scenario: ViewerScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  return runLoad({ scenario, plan: {}, startedAt, input }, (load) => viewer(scenario, load));
}

async function viewer({ images, phases }: ViewerScenario, load: Load): Promise<void> {
  const { fleet, signal, input } = load;
  const { options } = input;
  const outlines = options.count ?? images.count;
  const side = options.quick ? phases.quickSide : phases.side;
  load.images = 1;
  const api = await load.start('api');
  const target = { url: api.url!, key: fleet.key };
  const { imageId, sizeBytes } = await load.phase('one image', () =>
    seedOutlines(fleet.sql, { target, width: side, height: side, outlines }),
  );
  const polygons = await polygonsOfImage(target, imageId);
  const launched = await launchFor(load);
  try {
    const began = performance.now();
    const page = await load.phase('open', () =>
      openObservedPage({
        browser: launched.browser,
        baseUrl: target.url,
        path: `/images/${imageId}`,
        key: target.key,
        ready: '.view-side tr button',
        timeoutMs: phases.timeoutMs,
      }),
    );
    const listedMs = performance.now() - began;
    const figures = await load.phase('pan and zoom', () => measureViewer(page, { ...phases, polygons, signal }));
    Object.assign(load.measurements, measurementsOf(figures, { outlines, found: polygons.length, ...phases }));
    load.tables.push(
      tableOf(figures, {
        what: `${side.toLocaleString('en-US')} × ${side.toLocaleString('en-US')} pixels, ${(sizeBytes / MB).toFixed(1)} MB, ${outlines.toLocaleString('en-US')} outlines`,
        rendering: await renderingOf(launched.browser),
        listedMs,
        pssBytes: await rendererPssBytes(launched.browser),
        drawerBytes: mostOfChildren(api.pid),
        requests: page.network.all().length,
      }),
    );
    load.notes.push(...figures.faults);
    if (page.errors.length > 0) load.notes.push(`the page threw: ${page.errors[0]}`);
  } finally {
    await launched.close();
  }
}

/** Most memory that any process had so far that the API has started: they draw the pictures. */
function mostOfChildren(pid: number): number {
  return Math.max(0, ...descendants(pid).map((child) => readProcess(child)?.peakRssBytes ?? 0));
}

/** @param of outlines of the image, those that the service answers with, and how long a part of the picture was waited for */
export function measurementsOf(
  figures: ViewerFigures,
  of: { outlines: number; found: number; timeoutMs: number },
): Measurements {
  const { firstPartMs, wrongDrawn, wrongPointed, seen, pointed } = figures;
  const lost = Math.abs(of.outlines - of.found);
  return {
    viewer_pan_frame_p95_ms: framesOf('viewer_pan_frame_p95_ms', figures.pan, figures.panFull),
    viewer_zoom_frame_p95_ms: framesOf('viewer_zoom_frame_p95_ms', figures.zoom),
    viewer_first_part_ms: {
      actual: firstPartMs ?? of.timeoutMs,
      ...(firstPartMs === null && { note: 'none came in time' }),
    },
    viewer_heap_retained_bytes: { actual: figures.heapRetainedBytes },
    viewer_wrong_outlines: {
      actual: wrongDrawn + wrongPointed + lost,
      note: `${seen} of ${of.outlines} outlines were looked at, ${pointed} pointed at; drawn otherwise: ${wrongDrawn}, told otherwise: ${wrongPointed}, not in the service’s answer: ${lost}`,
      ...(seen < of.outlines * LEAST_SEEN && {
        weakened: `only ${seen} of ${of.outlines} outlines were large enough on the screen`,
      }),
    },
  };
}

interface Told {
  what: string;
  rendering: 'hardware' | 'software';
  listedMs: number;
  pssBytes: number;
  drawerBytes: number;
  requests: number;
}

function tableOf(figures: ViewerFigures, told: Told): ReportTable {
  const { what, rendering, listedMs, pssBytes, drawerBytes, requests } = told;
  const ms = (value: number | null): string => (value === null ? 'never' : `${Math.round(value)} ms`);
  const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
  const moved = ({ p95sMs, longestMs, frames: count }: Moves): string =>
    `p95 ${median(p95sMs).toFixed(1)} ms, longest ${longestMs.toFixed(1)} ms, ${count} frames`;
  const rows: [string, string][] = [
    ['page asked for until its outlines are listed', ms(listedMs)],
    ['pan, nearly all outlines in view', moved(figures.pan)],
    ['zoom, in and out of that', moved(figures.zoom)],
    ['pan at full resolution', moved(figures.panFull)],
    ['zoomed in until the first part of full resolution was here', ms(figures.firstPartMs)],
    ['until all of those in view were', `${ms(figures.allPartsMs)}, ${figures.parts} parts`],
    ['renderer’s memory at the end (PSS)', mb(pssBytes)],
    ['most of a process of the service that draws', mb(drawerBytes)],
    ['requests of the page', String(requests)],
  ];
  return {
    title: 'The viewer',
    note: `One image of ${what}, in a browser that draws by ${rendering}. A frame is a whole number of the screen’s refreshes: 16.7 ms, or 33.3 ms where one was missed.`,
    columns: [{ name: 'what' }, { name: 'figure' }],
    rows,
  };
}
