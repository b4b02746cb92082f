import type { ResultFile, StageSummary } from '../contract.ts';
import { PER_OCTAVE } from '../measure/log-histogram.ts';

/** What only the harness sees of a run or an upload, and the way of an event, which `publish` is part of: not an image's way through the pool. */
const BESIDE = ['upload', 'uploadRequest', 'arrival', 'settle'];
/** Of a proof: what the target says of itself lies within what was seen from outside. */
const TOLD = /^its /;

/** The stages that follow each other from an image's queueing until its end is told. */
export const wayOf = (stages: ResultFile['stages']): { name: string; stage: StageSummary }[] =>
  Object.entries(stages).flatMap(([name, stage]) =>
    BESIDE.includes(name) || TOLD.test(name) ? [] : [{ name, stage }],
  );

export interface Share {
  stage: string;
  share: number;
}

/** Of an image's time, all images together: by the histogram of each stage, or by its median where there is none. The largest first. */
export const timeShares = (stages: ResultFile['stages']): Share[] => timeSharesOf(wayOf(stages));

/** The same of the time that is left when the wait for a worker is over. */
export const withoutQueue = (stages: ResultFile['stages']): Share[] =>
  timeSharesOf(wayOf(stages).filter(({ name }) => name !== 'wait'));

const timeSharesOf = (way: ReturnType<typeof wayOf>): Share[] =>
  sharesOf(way.map(({ name, stage }) => [name, meanOf(stage) * stage.count]));

/** Of the CPU time that an image costs in a worker. */
export function cpuShares(stages: ResultFile['stages']): Share[] {
  return sharesOf(wayOf(stages).map(({ name, stage }) => [name, (stage.cpuMsPerImage ?? 0) * stage.count]));
}

export function sharesOf(parts: readonly (readonly [stage: string, size: number])[]): Share[] {
  const total = parts.reduce((sum, [, size]) => sum + size, 0);
  return parts
    .filter(([, size]) => size > 0)
    .map(([stage, size]) => ({ stage, share: size / total }))
    .toSorted((one, other) => other.share - one.share);
}

/** Each value is taken for the middle of its bin, by which it is off by 4.5 % at most. */
export function meanOf({ histogram = [], p50Ms }: StageSummary): number {
  const count = histogram.reduce((sum, [, values]) => sum + values, 0);
  const sumMs = histogram.reduce((sum, [k, values]) => sum + values * 2 ** ((k + 0.5) / PER_OCTAVE), 0);
  return count === 0 ? p50Ms : sumMs / count;
}
