/**
 * Which requests a busy process takes on. A queue without end makes every answer late and none in time; what is refused at once
 * costs little, and what is let in is answered as on a quiet day.
 *
 * The bound on requests in work is not configured but found: additive increase, multiplicative decrease (as in TCP; Welsh and
 * Culler, "Adaptive overload control for busy Internet servers", 2003), with the mean turn of the event loop in a window of 100 ms
 * as the sign of a queue (CoDel looks at delay, not at length, for the same reason: RFC 8289 section 3). What a route costs does not
 * matter that way.
 */

/**
 * `exempt` is never refused; uploads have a bound of their own; a `stream` is the disk's work and the line's, and only counts as open;
 * `low` gives way first, at half of what `normal` may have.
 */
export type LoadClass = 'exempt' | 'upload' | 'stream' | 'low' | 'normal';
/** `open`: too many are open, slow readers included. `busy`: as many are in work as the process can serve. */
export type ShedReason = 'open' | 'busy' | 'uploads';
/** Who may be refused, and why. */
export const REFUSALS: readonly { class: LoadClass; reason: ShedReason }[] = [
  { class: 'upload', reason: 'uploads' },
  { class: 'stream', reason: 'open' },
  { class: 'low', reason: 'open' },
  { class: 'low', reason: 'busy' },
  { class: 'normal', reason: 'open' },
  { class: 'normal', reason: 'busy' },
];

export interface SheddingOptions {
  /** Requests of one process that are not answered to their last byte, uploads apart. */
  maxOpen: number;
  maxUploads: number;
  /** Mean turn of the event loop from which on the process is too busy, ms. */
  targetMs: number;
  now?: () => number;
}

const WINDOW_MS = 100;
/** Never fewer in work: what one program or a few browsers ask for at once is no overload, however heavy it is and however slow the machine. */
const LEAST = 32;
/** Unless it has refused in so many windows one after the other: who is still there then is a crowd, and what it is let in for must be quick. */
const CROWD_WINDOWS = 10;
const LEAST_IN_CROWD = 8;
/** What may come at once after a quiet time; above it the bound follows what is in work (RFC 7661: a window that was not used says nothing). */
const QUIET = 64;
/** A queue is as long as its delay: the further over the target, the more is cut, within these. */
const [CUT_LEAST, CUT_MOST] = [0.8, 0.1];
const INCREASE = 1.05;
const LOW_SHARE = 0.5;

/** Pure but for the clock. Each request that is admitted says once that its work is done, and once that it has ended. */
export function createShedding({ maxOpen, maxUploads, targetMs, now = () => performance.now() }: SheddingOptions) {
  const state = { limit: Math.min(maxOpen, QUIET), working: 0, open: 0, uploads: 0, delayMs: 0 };
  let crowded = 0;
  let window = { since: now(), turns: 0, totalMs: 0, peak: 0, starved: false, refused: false };

  function endWindow(at: number): void {
    const { turns, totalMs, peak, starved, refused } = window;
    crowded = refused ? crowded + 1 : 0;
    const least = crowded >= CROWD_WINDOWS ? LEAST_IN_CROWD : LEAST;
    state.delayMs = turns > 0 ? totalMs / turns : 0;
    if (state.delayMs > targetMs || starved) {
      const cut = Math.max(CUT_MOST, Math.min(CUT_LEAST, targetMs / state.delayMs));
      state.limit = Math.max(least, Math.floor(Math.min(state.limit, peak) * cut));
    } else {
      const used = Math.max(QUIET, 2 * peak);
      state.limit = Math.min(
        maxOpen,
        Math.max(Math.min(state.limit, used), Math.min(used, Math.ceil(state.limit * INCREASE))),
      );
    }
    window = { since: at, turns: 0, totalMs: 0, peak: state.working, starved: false, refused: false };
  }
  function refusalOf(kind: LoadClass): ShedReason | null {
    if (kind === 'exempt') return null;
    if (kind === 'upload') return state.uploads < maxUploads ? null : 'uploads';
    if (state.open >= maxOpen) return 'open';
    if (kind === 'stream') return null;
    const limit = kind === 'low' ? Math.max(LEAST, Math.ceil(state.limit * LOW_SHARE)) : state.limit;
    return state.working < Math.min(limit, state.limit) ? null : 'busy';
  }

  return {
    state: state as Readonly<typeof state>,
    /** Null: it is let in. */
    admit(kind: LoadClass): ShedReason | null {
      const at = now();
      if (at - window.since >= WINDOW_MS) endWindow(at);
      const refusal = refusalOf(kind);
      window.refused ||= refusal === 'busy';
      if (refusal !== null || kind === 'exempt') return refusal;
      if (kind === 'upload') state.uploads++;
      else {
        state.open++;
        if (kind !== 'stream') state.working++;
        window.peak = Math.max(window.peak, state.working);
      }
      return null;
    },
    /** What is to be sent is there; who reads it slowly keeps no other from being served. */
    worked(kind: LoadClass): void {
      if (kind === 'low' || kind === 'normal') state.working--;
    },
    /** Sent to the end, or given up. */
    ended(kind: LoadClass): void {
      if (kind === 'upload') state.uploads--;
      else if (kind !== 'exempt') state.open--;
    },
    /** @param ms one turn of the event loop @param starved more queries wait for a connection than there are connections */
    turn(ms: number, starved: boolean): void {
      window.turns++;
      window.totalMs += ms;
      window.starved ||= starved;
    },
  };
}
export type Shedding = ReturnType<typeof createShedding>;
