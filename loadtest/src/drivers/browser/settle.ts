import type { CellShown, RecorderDump, ShownState } from './recorder.ts';

/** What the service says about an image once the batch is over. */
export interface ExpectedCell {
  status: string;
  polygonCount: number | null;
}
export interface SettleQuestion {
  /** Page clock, ms: arrival of the batch's last frame. */
  t0: number;
  batchId: string;
  expected: ReadonlyMap<string, ExpectedCell>;
  /** Whether the page draws overlays that carry their number of polygons. */
  overlays: boolean;
  quietMs: number;
}
export interface Settle {
  settled: boolean;
  /** Page clock, ms: end of settling; where it did not come to its end, the time of looking. */
  t1: number;
  /** First presented frame in which the page was right, null when it never was. */
  rightAt: number | null;
  /** Start of the first quiet at or after that frame. */
  quietFrom: number | null;
  reason: string;
}

const isRight = ([id, status, drawn]: CellShown, { expected, overlays }: SettleQuestion): boolean => {
  const truth = expected.get(id);
  if (truth?.status !== status) return false;
  return !overlays || status !== 'completed' || (drawn ?? 0) === (truth.polygonCount ?? 0);
};

export function stateIsRight(state: ShownState, question: SettleQuestion): boolean {
  if (state.batchId !== null && state.batchId !== question.batchId) return false;
  return state.cells.length > 0 && state.cells.every((cell) => isRight(cell, question));
}

/** Start of the first span of `quietMs` without mutation or long frame that lies at or after `from`; null before `now`. */
export function quietFrom(dump: RecorderDump, from: number, quietMs: number): number | null {
  const spans = [
    ...dump.mutations,
    ...dump.longFrames.map(([start, duration]): [number, number] => [start, start + duration]),
  ]
    .filter(([, end]) => end > from)
    .toSorted(([a], [b]) => a - b);
  let quiet = from;
  for (const [start, end] of spans) {
    if (start - quiet >= quietMs) return quiet;
    quiet = Math.max(quiet, end);
  }
  return dump.now - quiet >= quietMs ? quiet : null;
}

/**
 * Decides from what the page recorded when it had settled (docs/measuring.md): the later of the first presented frame after
 * `t0` from which on it stayed right, and the end of the last long frame or mutation before the quiet that follows. It is
 * decided afterwards, outside the page, against the service's own answer, so the page cannot hold wrong cells for right.
 */
export function settleOf(dump: RecorderDump, question: SettleQuestion): Settle {
  const last = dump.states.findLastIndex((state) => !stateIsRight(state, question));
  const right = dump.states.slice(last + 1).find((state) => stateIsRight(state, question));
  if (!right) {
    const shown = dump.states.at(-1);
    const wrong = shown?.cells.find((cell) => !isRight(cell, question));
    const reason = wrong
      ? `cell ${wrong[0]} shows ${wrong[1]} with ${wrong[2]} polygons, the service says ${JSON.stringify(question.expected.get(wrong[0]))}`
      : 'the progress bar did not come to its end';
    return { settled: false, t1: dump.now, rightAt: null, quietFrom: null, reason };
  }
  // A state that was right before the last frame came counts from that frame on.
  const rightAt = Math.max(right.at, question.t0);
  const quiet = quietFrom(dump, rightAt, question.quietMs);
  if (quiet === null)
    return { settled: false, t1: dump.now, rightAt, quietFrom: null, reason: 'the page is not quiet' };
  return { settled: true, t1: Math.max(rightAt, quiet), rightAt, quietFrom: quiet, reason: '' };
}
