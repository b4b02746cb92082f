import type { Measurement } from '../contract.ts';
import { decodedOf } from '../drivers/histogram.ts';
import type { Random } from '../images/random.ts';
import type { GeneratorReport } from './generator-protocol.ts';

/**
 * Intended starts of an open loop, ms from its beginning: a Poisson process, as independent clients make one. They do not depend on
 * any answer: a slow service gets the same load as a quick one, and its delay counts (Schroeder, Wierman and Harchol-Balter, "Open
 * versus closed: a cautionary tale", 2006).
 */
export function arrivals(perSecond: number, durationMs: number, random: Random): number[] {
  const starts: number[] = [];
  for (let at = gap(perSecond, random); at < durationMs; at += gap(perSecond, random)) starts.push(at);
  return starts;
}
const gap = (perSecond: number, random: Random): number => (-Math.log(1 - random()) / perSecond) * 1000;

/** From here on a generator that starts its requests late has measured itself, ms (99th percentile). */
export const LATE_MS = 25;
/** A load of which less was sent than this was another load. */
export const LEAST_SENT = 0.98;

/** The same of a load that waits for each answer: why the time that its generator stood still makes it another load. */
export function whyIdle(lateMs: number, tookMs: number): string | undefined {
  const share = lateMs / tookMs;
  return share > 1 - LEAST_SENT ? `the generator stood still for ${Math.round(share * 100)} % of the time` : undefined;
}

/** Why a load fell short of what was intended; undefined where it did not. */
export function whyShort(sent: number, intended: number, lagP99Ms: number | null): string | undefined {
  if (intended === 0) return 'no request was intended';
  if (sent / intended < LEAST_SENT) return `the generator sent ${sent} of ${intended} requests`;
  if (lagP99Ms === null || lagP99Ms <= LATE_MS) return undefined;
  return `the generator started its requests ${Math.round(lagP99Ms)} ms late (p99), more than ${LATE_MS} ms`;
}

/** The same of a load that was sent in pieces, all of them together. */
export function whyShortOf(pieces: readonly Pick<GeneratorReport, 'sent' | 'intended' | 'hdr'>[]): string | undefined {
  const sum = (pick: 'sent' | 'intended') => pieces.reduce((total, piece) => total + piece[pick], 0);
  const lags = pieces.flatMap(({ hdr }) => hdr.lag ?? []);
  return whyShort(sum('sent'), sum('intended'), lags.length > 0 ? decodedOf(lags).quantile(0.99) : null);
}

/** What depends on a clock is the service's alone only while the load came in time. */
export const timed = (actual: number | null, note: string, short: string | undefined): Measurement => ({
  actual,
  note,
  ...(short === undefined ? {} : { unjudgeable: short }),
});
