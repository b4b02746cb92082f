import type { Identity } from '../contract.ts';
import type { ArrivedFrame } from '../drivers/ledger-socket.ts';
import type { LedgerItem, LedgerRow } from './ledger.ts';
import { median } from './statistics.ts';

/** By how much two ways to count one thing may differ. */
const SHARE = 0.1;
/** Of a batch that is over sooner, windows of 100 ms tell too little of what was in flight. */
const LEAST_MS = 2000;
const CLOCKS_MS = 250;
/** Of two clocks of one machine that are read one after the other. */
const READING_MS = 5;

export interface IdentityInput {
  batchId: string;
  rows: readonly LedgerRow[];
  /** As the subscriber outside of the page got them. */
  frames: readonly ArrivedFrame[];
  /** Per image of the batch, the sum of its recorded stages and its time from queue to end, ms. */
  stages: readonly { sumMs: number; tookMs: number }[];
}

/**
 * What holds in every run whatever the service does, each side by a way of its own. Where one does not hold, an instrument of the run is
 * wrong, and so may be all that it measured.
 */
export function identitiesOf(input: IdentityInput): Identity[] {
  return [littlesLaw(input), stageSums(input), ...clocks(input)].filter((one) => one !== null);
}

const endedItems = ({ rows, batchId }: IdentityInput): LedgerItem[] =>
  rows.flatMap(({ items }) => items.filter((item) => item.batchId === batchId && item.finishedAtMs !== null));

/**
 * L = λW (Little 1961): images in flight, as the batch's counters said in its event frames, by rate times mean stay, as the rows of
 * the database say.
 */
function littlesLaw(input: IdentityInput): Identity | null {
  const items = endedItems(input).filter((item) => item.queuedAtMs !== null && item.attempts !== 0);
  const from = Math.min(...items.map((item) => item.queuedAtMs!));
  const to = Math.max(...items.map((item) => item.finishedAtMs!));
  if (items.length === 0 || to - from < LEAST_MS) return null;
  const stays = items.map((item) => item.finishedAtMs! - item.queuedAtMs!);
  const expected = stays.reduce((sum, ms) => sum + ms, 0) / (to - from);
  const points = input.frames.flatMap(({ atMs, frame }) => {
    const batch = frame.type === 'events' ? frame.batches.find(({ id }) => id === input.batchId) : undefined;
    return batch ? [{ atMs, inFlight: batch.counts.queued + batch.counts.processing }] : [];
  });
  const started = { atMs: from, inFlight: items.length };
  return {
    name: 'Little’s law',
    what: 'images in flight by the batch’s counters; by rate and stay of its rows',
    unit: 'count',
    left: timeAverage([started, ...points], from, to),
    right: expected,
    within: SHARE * expected,
    of: points.length,
  };
}

/** Of a step function that keeps each value until the next point. */
function timeAverage(points: readonly { atMs: number; inFlight: number }[], from: number, to: number): number {
  let area = 0;
  points.forEach(({ atMs, inFlight }, index) => {
    const until = Math.min(to, points[index + 1]?.atMs ?? to);
    area += inFlight * Math.max(0, until - Math.max(from, atMs));
  });
  return area / (to - from);
}

/** The stages of an image are all of its time: what none of them shows is nowhere in the report. */
function stageSums({ stages }: IdentityInput): Identity | null {
  const total = (pick: 'sumMs' | 'tookMs') => stages.reduce((sum, one) => sum + one[pick], 0) / stages.length;
  if (stages.length === 0) return null;
  return {
    name: 'stage sums',
    what: 'mean sum of an image’s stages; mean time from queue to end',
    unit: 'ms',
    left: total('sumMs'),
    right: total('tookMs'),
    // Short stays are mostly the write itself, which is timed by two processes.
    within: Math.max(SHARE * total('tookMs'), 2 * READING_MS),
    of: stages.length,
  };
}

/** The page’s frames, the subscriber’s and the database’s rows must be on one time line. */
function clocks(input: IdentityInput): (Identity | null)[] {
  const items = endedItems(input);
  const both = items.filter(({ outside, browser }) => outside.atMs !== null && browser.atMs !== null);
  const told = items.filter(({ outside }) => outside.atMs !== null);
  const early = told.filter(({ outside, finishedAtMs }) => outside.atMs! < finishedAtMs! - READING_MS);
  return [
    both.length === 0
      ? null
      : {
          name: 'page’s clock',
          what: 'median from an event’s arrival at the subscriber outside to its arrival at the page; none',
          unit: 'ms',
          left: median(both.map(({ outside, browser }) => browser.atMs! - outside.atMs!)),
          right: 0,
          within: CLOCKS_MS,
          of: both.length,
        },
    told.length === 0
      ? null
      : {
          name: 'database’s clock',
          what: 'events that arrived before their image had ended; none',
          unit: 'count',
          left: early.length,
          right: 0,
          within: 0,
          of: told.length,
        },
  ];
}

export const holds = ({ left, right, within }: Identity): boolean => Math.abs(left - right) <= within;
