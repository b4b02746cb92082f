/**
 * How a request ended, for the endpoint that had it: answered; failed by the endpoint's fault, which the breaker counts; refused,
 * by a server that is alive; dropped by who asked, which says nothing about the endpoint.
 */
export const OUTCOMES = ['ok', 'failed', 'refused', 'dropped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  failures: number;
  /** How long it stays open at first; twice as long after each trial that fails. */
  pauseMs: number;
  maxPauseMs: number;
}

/**
 * Circuit breaker (Nygard, Release It!): closed lets everything through; after so many failures in a row it is open and lets
 * nothing through; after a pause it is half-open and lets one trial through, whose outcome closes it or opens it for longer.
 * It has no clock: every call gets the time, in ms. What began before the last change of state ends without effect.
 */
export function createBreaker({ failures, pauseMs, maxPauseMs }: BreakerOptions) {
  let inRow = 0;
  /** Openings since it was closed; 0 is closed. */
  let openings = 0;
  let until = 0;
  let trial = false;
  let epoch = 0;

  function open(now: number): void {
    until = now + Math.min(maxPauseMs, pauseMs * 2 ** Math.min(openings, 30));
    openings++;
    trial = false;
    epoch++;
  }
  function close(): void {
    [inRow, openings, until, trial] = [0, 0, 0, false];
    epoch++;
  }
  const state = (now: number): BreakerState => (openings === 0 ? 'closed' : now < until ? 'open' : 'half-open');

  return {
    state,
    allows: (now: number): boolean => state(now) === 'closed' || (state(now) === 'half-open' && !trial),
    /** Only when it allows. @returns a ticket, for the end */
    begin(now: number): number {
      if (state(now) === 'half-open') {
        trial = true;
        epoch++;
      }
      return epoch;
    },
    end(ticket: number, outcome: Outcome, now: number): void {
      if (ticket !== epoch) return;
      if (outcome === 'dropped') trial = false;
      else if (trial) {
        if (outcome === 'failed') open(now);
        else close();
      } else {
        inRow = outcome === 'failed' ? inRow + 1 : 0;
        if (inRow >= failures) open(now);
      }
    },
    /** The endpoint is another one now: what it did before counts no more. */
    reset: close,
  };
}
export type Breaker = ReturnType<typeof createBreaker>;
