import type { ViewerScenario } from '../../../scenarios/scenario.ts';
import type { Polygon } from '#contract/results.ts';
import { retainedBytes } from '../drivers/browser/memory.ts';
import type { PageRequest } from '../drivers/browser/network.ts';
import type { ObservedPage } from '../drivers/browser/page.ts';
import { pause } from '../run/stop.ts';
import { wrongIn, type Drawn } from './drawn.ts';
import { createMover, type Moves } from './viewer-moves.ts';
import { lookAt, middleOf, pointsOn, stageOf } from './viewer-stage.ts';

const STAGE = '[data-view-stage]';
const AGAIN_MS = 20;
/** Presses of `+` until a pixel of the image has more than one of the screen. */
const TO_FULL = 8;
/** A drag off the middle, so that looks are at places of their own. */
const ASIDE = [-90, 60] as const;
/** Nothing of the page is pointed at here. */
const AWAY = [2, 2] as const;
/** What is pointed at is told within that. */
const POINTED_MS = 2000;

/** The scenario's phases on an image that is there. */
export interface ViewerPlan extends Omit<ViewerScenario['phases'], 'side' | 'quickSide'> {
  /** What the service says was found. */
  polygons: readonly Polygon[];
  signal: AbortSignal;
}
export interface ViewerFigures {
  /** All outlines in view. */
  pan: Moves;
  zoom: Moves;
  /** At full resolution. */
  panFull: Moves;
  /** From the first press of a key to the first part of full resolution; null where none came in time. */
  firstPartMs: number | null;
  /** The same, to the last part in view. */
  allPartsMs: number | null;
  parts: number;
  heapRetainedBytes: number;
  wrongDrawn: number;
  wrongPointed: number;
  /** Each look at which something was wrong, in words. */
  faults: string[];
  /** Outlines that were seen at some look, and those that were pointed at. */
  seen: number;
  pointed: number;
}

/** Asks for pixels of the image as they are: as wide as what it shows. */
export function isFullPart({ url }: Pick<PageRequest, 'url'>): boolean {
  const { searchParams } = new URL(url);
  const region = searchParams.get('region');
  return region !== null && region.split(',')[2] === searchParams.get('w');
}

const wordsOf = ({ seen, missing, stray }: Drawn): string =>
  seen.size === 0
    ? 'no outline is in view'
    : `${missing.length} of ${seen.size} outlines are not drawn (${missing.slice(0, 3).join(', ')}), and ${stray} places have what should not be there`;

/** The page stands on an image with outlines. */
export async function measureViewer(page: ObservedPage, plan: ViewerPlan): Promise<ViewerFigures> {
  const { polygons, looks, picks, quietMs, timeoutMs, signal } = plan;
  const { mouse, keyboard } = page.page;
  const seen = new Set<number>();
  const faults: string[] = [];
  const counts = { wrongDrawn: 0, wrongPointed: 0, pointed: 0 };

  async function until(isThere: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
    const end = Date.now() + withinMs;
    while (!(await isThere())) {
      if (Date.now() > end) return false;
      await pause(AGAIN_MS, signal);
    }
    return true;
  }
  const quiet = () => until(async () => (await page.quietMs()) >= quietMs, timeoutMs);
  async function press(key: '+' | '0', times = 1): Promise<void> {
    await page.page.focus(STAGE);
    for (let n = 0; n < times; n++) await keyboard.press(key);
  }
  /** Until the screen shows what it should; where it never does, what is wrong then. */
  async function look(): Promise<void> {
    await mouse.move(...AWAY);
    await quiet();
    let found = await lookAt(page, polygons);
    await until(async () => wrongIn(found) === 0 || ((found = await lookAt(page, polygons)), false), timeoutMs);
    for (const id of found.seen) seen.add(id);
    counts.wrongDrawn += wrongIn(found);
    const stage = await stageOf(page);
    const at = `at ${(stage.view.scale * 100).toFixed(0)} %`;
    if (wrongIn(found) > 0) faults.push(`${at} ${wordsOf(found)}`);
    for (const { id, point } of pointsOn(stage, polygons, picks)) {
      await mouse.move(...point);
      const told = () =>
        page.evaluate<boolean>(`document.querySelector('[data-hovered]')?.dataset.hovered === '${id}'`);
      counts.pointed++;
      if (await until(told, Math.min(POINTED_MS, timeoutMs))) continue;
      counts.wrongPointed++;
      faults.push(`${at} outline ${id} does not say its number when pointed at`);
    }
    await mouse.move(...AWAY);
  }
  const mover = createMover(page.page, plan);
  const middle = async () => middleOf(await stageOf(page));
  async function aside(): Promise<void> {
    const [x, y] = await middle();
    await mouse.move(x, y);
    await mouse.down();
    await mouse.move(x + ASIDE[0], y + ASIDE[1]);
    await mouse.up();
  }
  const parts = () => page.network.all().filter((request) => request.finished && isFullPart(request)).length;
  const hasParts = (state: 'coming' | 'here') => () =>
    page.evaluate<boolean>(`document.querySelector('${STAGE}').dataset.parts === '${state}'`);

  await look();
  // Before anything else has been zoomed: what was seen once is kept, and not asked for again.
  const before = parts();
  const asked = performance.now();
  await press('+', TO_FULL);
  const first = await until(() => parts() > before, timeoutMs);
  const sinceMs = performance.now() - asked;
  // The presses take their time, too.
  const firstPartMs = first && sinceMs <= timeoutMs ? sinceMs : null;
  const all = firstPartMs !== null && (await until(hasParts('here'), timeoutMs));
  const allPartsMs = all ? performance.now() - asked : null;
  const shown = parts() - before;
  const pannedFull = await mover.pan(await middle());
  await press('0');
  await quiet();
  // Seen whole there is nothing to pan; a step closer nearly all outlines are in view.
  await press('+');
  await quiet();
  const panned = await mover.pan(await middle());
  const zoomed = await mover.zoom(await middle());
  for (let zoom = 1; zoom <= looks; zoom++) {
    await press('0');
    await quiet();
    await press('+', Math.round((zoom * TO_FULL) / looks));
    await quiet();
    await aside();
    await look();
  }
  await press('0');
  await quiet();
  return {
    pan: panned,
    zoom: zoomed,
    panFull: pannedFull,
    firstPartMs,
    allPartsMs,
    parts: shown,
    heapRetainedBytes: await retainedBytes(page),
    ...counts,
    faults,
    seen: seen.size,
  };
}
