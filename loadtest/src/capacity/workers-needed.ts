import { quantileOfSorted } from '../measure/statistics.ts';
import { figure, firstOutside, type Figure } from './figure.ts';
import type { Ground } from './ground.ts';
import { pipelineOf } from './pipeline.ts';
import { MOST_WORKERS, type Question } from './question.ts';
import { asked, endsOf, fewest, type Rates } from './rates.ts';
import { meanMs } from './service-time.ts';
import { simulate } from './simulate/simulate.ts';
import type { SimulationOutcome } from './simulate/simulation.ts';

/** Images of a simulated run: a p99 of so many lies within a few per cent of that of many more. */
const SIMULATED_IMAGES = 20_000;
/** Behind the last execution: the writer's wait, the window of events, a claim. */
const WAY_MS = 250 + 100 + 5;

/** What the last image takes beside the rate: a batch ends so much after its last image began. */
export function tailMs(ground: Ground, question: Question): number {
  const { shape, batch } = asked(ground, question);
  return meanMs(ground.service, batch, shape) + WAY_MS;
}

/** Images a second that the deadline asks for. */
export const neededRate = (ground: Ground, question: Question): number => {
  const leftMs = question.deadlineMs - tailMs(ground, question);
  return leftMs > 0 ? (question.images / leftMs) * 1000 : Infinity;
};

export interface Needed {
  workers: Figure;
  /** Of the simulated run that fits; null where none was asked or none fits. */
  tail: SimulationOutcome | null;
}

/** Workers by the deadline alone, and by the tail where one was asked. */
export function workersNeeded(ground: Ground, question: Question, rates: Rates): Needed {
  const needed = neededRate(ground, question);
  const central = fewest(rates.at, needed);
  const ends = endsOf(rates.draws.map((rate) => fewest(rate, needed)));
  const byRate = numberOf(central, ends, rates, needed);
  if (question.p99Ms === null || byRate.value === null) return { workers: byRate, tail: null };
  return byTail(ground, { ...question, p99Ms: question.p99Ms }, rates, byRate);
}

function numberOf(central: number, ends: ReturnType<typeof endsOf>, rates: Rates, needed: number): Figure {
  if (!Number.isFinite(central)) {
    const most = Math.max(...Array.from({ length: MOST_WORKERS }, (_, at) => rates.at(at + 1)));
    const why = Number.isFinite(needed)
      ? `${needed.toFixed(2)} images/s are needed, no number of workers up to ${MOST_WORKERS} has more than ${most.toFixed(2)}`
      : 'the deadline is shorter than one image takes';
    return figure(null, 'count', { origin: rates.origin, source: `${why}; ${rates.source}` });
  }
  const { low, high } = ends;
  return {
    ...figure(central, 'count', {
      origin: rates.origin,
      source: rates.source,
      ...rates.outside(Math.max(central, high ?? central)),
    }),
    low: Math.min(low, central),
    high: high === null ? null : Math.max(high, central),
  };
}

/** From the number that the rate asks for upwards: the fewest with which the simulated tail is short enough. */
function byTail(ground: Ground, question: Question & { p99Ms: number }, rates: Rates, byRate: Figure): Needed {
  const perSecond = (question.images / question.deadlineMs) * 1000;
  const run = (workers: number, slower: number): SimulationOutcome =>
    simulate(
      pipelineOf(ground, question, rates, {
        workers,
        slower,
        images: SIMULATED_IMAGES,
        arrivals: { kind: 'random', perSecond },
      }),
    );
  const search = (from: number, slower: number): { workers: number; outcome: SimulationOutcome } | null => {
    const fits = (outcome: SimulationOutcome) => quantileOfSorted(outcome.staysMs, 0.99) <= question.p99Ms;
    let [low, high] = [from - 1, from];
    let found = run(high, slower);
    while (!fits(found)) {
      if (high >= MOST_WORKERS) return null;
      low = high;
      high = Math.min(MOST_WORKERS, Math.max(high + 1, Math.ceil(high * 1.5)));
      found = run(high, slower);
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const outcome = run(middle, slower);
      if (fits(outcome)) [high, found] = [middle, outcome];
      else low = middle;
    }
    return { workers: high, outcome: found };
  };
  const from = byRate.value ?? 1;
  // The tail cannot be shorter than an image that never waits: what many workers don't reach, none do.
  const best = run(Math.min(MOST_WORKERS, 4 * from + 64), 1);
  const least = quantileOfSorted(best.staysMs, 0.99);
  const source = `simulated: ${SIMULATED_IMAGES.toLocaleString('en-US')} images at ${perSecond.toFixed(2)} a second, p99 from arrival to event; ${rates.source}`;
  if (least > question.p99Ms)
    return {
      workers: figure(null, 'count', {
        origin: 'simulated',
        source: `with workers to spare the p99 is ${Math.round(least)} ms; ${source}`,
      }),
      tail: null,
    };
  const central = search(from, 1);
  if (central === null)
    return {
      workers: figure(null, 'count', {
        origin: 'simulated',
        source: `none up to ${MOST_WORKERS} was enough; ${source}`,
      }),
      tail: null,
    };
  const speeds = endsOf(rates.draws.map((rate) => rate(from) / rates.at(from)));
  const quick = search(Math.max(1, byRate.low ?? from), 1 / Math.max(speeds.high ?? 1, 1));
  const slow = byRate.high === null ? null : search(byRate.high ?? from, 1 / Math.min(speeds.low, 1));
  const { workers, outcome } = central;
  return {
    workers: {
      ...figure(workers, 'count', {
        origin: 'simulated',
        source,
        ...firstOutside(byRate.outside, rates.outside(Math.max(workers, slow?.workers ?? workers)).outside),
      }),
      low: Math.min(workers, quick?.workers ?? workers),
      high: slow === null ? null : Math.max(workers, slow.workers),
    },
    tail: outcome,
  };
}
