import type { BudgetUnit } from '../contract.ts';
import type { ArrivedFrame } from '../drivers/ledger-socket.ts';
import type { LedgerItem, LedgerRow } from './ledger.ts';
import { boundsOf, byLittle, inServiceOf, staysOf, timeAverage, type Counted, type Stays } from './littles-law.ts';
import type { StageSums } from './stages.ts';
import { median } from './statistics.ts';

/** One thing counted in two ways that must agree, whatever is measured. */
export interface Identity {
  name: string;
  /** What left and right are. */
  what: string;
  unit: BudgetUnit;
  left: number;
  right: number;
  /** By how much they may differ, in the unit. */
  within: number;
  /** How many samples the left side is made of. */
  of: number;
}

/** By how much two ways to count one thing may differ. */
const SHARE = 0.1;
/** Of a batch that is over sooner, looks every 50 to 100 ms tell too little of what was in flight. */
export const LEAST_MS = 2000;
const CLOCKS_MS = 250;
/** Of two clocks of one machine that are read one after the other. */
const READING_MS = 5;

export interface IdentityInput {
  batchId: string;
  rows: readonly LedgerRow[];
  /** As the subscriber outside of the page got them. */
  frames: readonly ArrivedFrame[];
  stages: StageSums | null;
}

/**
 * What holds in every run whatever the service does, each side by a way of its own. Where one does not hold, an instrument of the run is
 * wrong, and so may be all that it measured.
 */
export function identitiesOf(input: IdentityInput): Identity[] {
  return [framesLaw(input), stageSums(input.stages), ...clocks(input)].filter((one) => one !== null);
}

const endedItems = ({ rows, batchId }: IdentityInput): LedgerItem[] =>
  rows.flatMap(({ items }) => items.filter((item) => item.batchId === batchId && item.finishedAtMs !== null));

/** Little's law of a batch, as its counters said in its event frames. */
function framesLaw(input: IdentityInput): Identity | null {
  const items = endedItems(input).filter((item) => item.queuedAtMs !== null && item.attempts !== 0);
  const stays = staysOf(items.map((item) => ({ queuedMs: item.queuedAtMs!, endedMs: item.finishedAtMs! })));
  const points = input.frames.flatMap(({ atMs, frame }): Counted[] => {
    const batch = frame.type === 'events' ? frame.batches.find(({ id }) => id === input.batchId) : undefined;
    return batch ? [{ atMs, left: batch.counts.queued + batch.counts.processing }] : [];
  });
  if (stays === null || stays.toMs - stays.fromMs < LEAST_MS) return null;
  return littlesLaw(
    { counted: timeAverage(stays, points), byLittle: byLittle(stays) },
    { what: 'images in flight by the batch’s counters; by rate and stay of its rows', of: points.length },
  );
}

/**
 * Little's law of images that somebody counted now and then. Null where the looks leave more open than the two may differ by, as on a machine
 * on which looks and commits are late, or where the batch was too short.
 */
export function countedLaw(
  stays: Stays | null,
  counted: readonly Counted[],
  what = 'images in flight as counted from outside; by rate and stay of their rows',
): Identity | null {
  const inService = inServiceOf(stays, counted);
  if (stays === null || inService === null) return null;
  const { least, most } = boundsOf(stays, counted);
  const open = (most - least) / 2;
  if (stays.toMs - stays.fromMs < LEAST_MS || open > SHARE * inService.byLittle) return null;
  return littlesLaw(inService, { what, of: counted.length });
}

/** @param found how many there were on average: counted, and by rate times stay */
export const littlesLaw = (
  found: { counted: number; byLittle: number },
  given: { name?: string; what: string; of: number },
): Identity => ({
  name: 'Little’s law',
  unit: 'count',
  left: found.counted,
  right: found.byLittle,
  within: SHARE * found.byLittle,
  ...given,
});

/** The stages of an image are all of its time: what none of them shows is nowhere in the report. */
export function stageSums(stages: StageSums | null): Identity | null {
  if (stages === null) return null;
  return {
    name: 'stage sums',
    what: 'mean sum of an image’s stages; mean time from queue to end',
    unit: 'ms',
    left: stages.sumMs,
    right: stages.tookMs,
    // Short stays are mostly the write itself, which is timed by two processes.
    within: Math.max(SHARE * stages.tookMs, 2 * READING_MS),
    of: stages.images,
  };
}

/** The page’s frames, the subscriber’s and the database’s rows must be on one time line. */
function clocks(input: IdentityInput): (Identity | null)[] {
  const items = endedItems(input);
  const both = items.filter(({ outside, browser }) => outside.atMs !== null && browser.atMs !== null);
  const told = items.flatMap(({ outside, finishedAtMs }) =>
    outside.atMs === null ? [] : [outside.atMs - finishedAtMs!],
  );
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
    toldAfterEnd(told),
  ];
}

/** @param delaysMs of each event, from the end of its image as rows say to its arrival */
export function toldAfterEnd(delaysMs: readonly number[]): Identity | null {
  if (delaysMs.length === 0) return null;
  return {
    name: 'database’s clock',
    what: 'events that arrived before their image had ended; none',
    unit: 'count',
    left: delaysMs.filter((ms) => ms < -READING_MS).length,
    right: 0,
    within: 0,
    of: delaysMs.length,
  };
}

export const holds = ({ left, right, within }: Identity): boolean => Math.abs(left - right) <= within;
