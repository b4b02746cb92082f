import type { Page } from 'puppeteer-core';
import type { BudgetName } from '../contract.ts';
import { framesFor } from '../drivers/browser/frames.ts';
import { onPlainPage } from '../drivers/browser/plain-page.ts';
import { VIEWPORT } from '../drivers/browser/page.ts';
import { isLate } from '../judge/frames.ts';
import { quantile } from '../measure/statistics.ts';
import { pause } from '../run/stop.ts';

/** Between two movements of the mouse: a person's come each frame. */
const MOVE_EVERY_MS = 8;

type Point = readonly [x: number, y: number];
export interface Moves {
  p95sMs: number[];
  /** Of a plain page that is moved as often as frames were late. */
  plainP95sMs: number[];
  longestMs: number;
  frames: number;
}
export interface MovesPlan {
  moves: number;
  moveMs: number;
  signal: AbortSignal;
}

/** Moves what a page shows under the pointer for a while. @returns the frame intervals of each time, ms */
type Move = (page: Page, middle: Point, plan: MovesPlan) => Promise<number[][]>;

async function framesOf(page: Page, { moves, moveMs, signal }: MovesPlan, act: (step: number) => Promise<void>) {
  const all: number[][] = [];
  for (let move = 0; move < moves; move++) {
    const recorded = page.evaluate(framesFor(moveMs)) as Promise<number[]>;
    const end = performance.now() + moveMs;
    for (let step = 0; performance.now() < end; step++) {
      await act(step);
      await pause(MOVE_EVERY_MS, signal);
    }
    all.push(await recorded);
  }
  return all;
}

const pan: Move = async (page, [x, y], plan) => {
  const { mouse } = page;
  await mouse.move(x, y);
  await mouse.down();
  try {
    return await framesOf(page, plan, (step) =>
      mouse.move(x + 180 * Math.sin(step / 20), y + 120 * Math.cos(step / 14)),
    );
  } finally {
    await mouse.up();
  }
};
const zoom: Move = async (page, [x, y], plan) => {
  const { mouse } = page;
  await mouse.move(x, y);
  return await framesOf(page, plan, (step) => mouse.wheel({ deltaY: Math.floor(step / 60) % 2 === 0 ? -20 : 20 }));
};

/** Pans and zooms a page, and after late frames one large picture on a plain page in the same way. */
export function createMover(page: Page, plan: MovesPlan) {
  const measured =
    (budget: BudgetName, move: Move) =>
    async (middle: Point): Promise<Moves> => {
      const intervals = await move(page, middle, plan);
      const p95sMs = p95sOf(intervals);
      const moves = p95sMs.filter((ms) => isLate(budget, ms)).length;
      const plain =
        moves === 0
          ? []
          : await onPlainPage(page.browser(), 'moved', ({ page: beside }) =>
              move(beside, [VIEWPORT.width / 2, VIEWPORT.height / 2], { ...plan, moves }),
            );
      return {
        p95sMs,
        plainP95sMs: p95sOf(plain),
        longestMs: Math.max(0, ...intervals.flat()),
        frames: intervals.flat().length,
      };
    };
  return { pan: measured('viewer_pan_frame_p95_ms', pan), zoom: measured('viewer_zoom_frame_p95_ms', zoom) };
}

const p95sOf = (intervals: readonly number[][]): number[] => intervals.map((one) => quantile(one, 0.95));
