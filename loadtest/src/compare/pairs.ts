import { createRandom } from '../images/random.ts';
import { median } from '../measure/statistics.ts';
import type { Progress } from '../run/progress.ts';
import type { BlockFigures, Decision, Triple } from './contract.ts';
import { decide } from './decide.ts';
import { looksOf } from './looks.ts';
import { drawOrder, type BlockName } from './schedule.ts';

export interface Measuring {
  options: {
    pairs: number;
    seed: number;
    /** No pair begins that would end after so many minutes from the start. */
    minutes: number;
    /** Every pair is measured, however clear the verdict is. */
    all?: boolean;
  };
  progress: Progress;
  onTriple: (triple: Triple) => void;
  /** `Date.now()` at the comparison's start. */
  startedAt: number;
  /** Runs one block on the side that it belongs to. */
  measure: (block: BlockName) => Promise<BlockFigures>;
}

/** Pair after pair, each in an order drawn by chance, until the verdict is clear or the pairs or the minutes are used up. */
export async function measurePairs({ options, progress, onTriple, startedAt, measure }: Measuring): Promise<void> {
  const random = createRandom(options.seed, 1);
  const looks = looksOf(options.pairs);
  const triples: Triple[] = [];
  const tookMs: number[] = [];
  const untilMs = startedAt + options.minutes * 60_000;
  progress.phase('pairs', options.pairs);
  while (triples.length < options.pairs) {
    if (tookMs.length > 0 && Date.now() + median(tookMs) > untilMs) {
      progress.line(`no time for more than ${triples.length} of ${options.pairs} pairs in ${options.minutes} minutes`);
      return;
    }
    const beganAt = Date.now();
    const order = drawOrder(random);
    const blocks: Partial<Record<BlockName, BlockFigures>> = {};
    for (const block of order) blocks[block] = await measure(block);
    tookMs.push(Date.now() - beganAt);
    const { a, again, b } = blocks as Record<BlockName, BlockFigures>;
    const triple = { a, again, b, order: order.join(' ') };
    triples.push(triple);
    onTriple(triple);
    progress.update(triples.length);
    if (options.all !== true && lookAt(triples, looks, options.seed)?.clear) return;
  }
}

/** Times are judged at the planned looks alone; a count that grew ends the run at any pair. */
function lookAt(triples: readonly Triple[], looks: readonly number[], seed: number): Decision | undefined {
  const isLook = looks.includes(triples.length);
  const decision = decide(triples, { looks, isLast: false, seed, ...(isLook ? {} : { countsOnly: true }) });
  return isLook || decision.verdict === 'regression' ? decision : undefined;
}
