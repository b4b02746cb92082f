import { figure, type Figure } from './figure.ts';
import type { Ground } from './ground.ts';
import { growthOf, type Growth } from './growth.ts';
import { kneeOf, topOf } from './knee.ts';
import { pipelineOf } from './pipeline.ts';
import { costOf, type Cost, type Prices } from './prices.ts';
import { MOST_WORKERS, type Question } from './question.ts';
import { asked, endsOf, fewest, ratesOf, type Rates } from './rates.ts';
import { simulate } from './simulate/simulate.ts';
import type { SimulationOutcome } from './simulate/simulation.ts';
import { quantileOfSorted } from '../measure/statistics.ts';
import { machinesOf, stagesOf, type StageCapacity } from './stages.ts';
import { peakOf } from './usl.ts';
import { wordsOf, workersWords } from './words.ts';
import { neededRate, tailMs, workersNeeded } from './workers-needed.ts';

export interface TimeOf {
  workers: number;
  perSecond: Figure;
  tookMs: Figure;
  inTime: boolean;
}

export interface Plan {
  schemaVersion: 1;
  kind: 'plan';
  question: Question;
  ground: Pick<Ground, 'file' | 'kind' | 'what' | 'simulated' | 'illustrative' | 'notes'> & {
    images: { side: number; cells: number; batch: number };
    law: Rates['law'];
  };
  /** `illustrative`: nothing to buy by; `impossible`: no number of workers does it. */
  verdict: 'answered' | 'illustrative' | 'impossible';
  /** The answer in words, the first sentence first. */
  words: string[];
  /** Null value for a ground that is illustrative. */
  workers: Figure;
  tookMs: Figure;
  /** Ascending by capacity: the first binds, the second is next. With the workers of the answer, else with one. */
  stages: StageCapacity[];
  times: TimeOf[];
  knee: Figure;
  top: { workers: Figure; perSecond: Figure };
  law: { alpha: Figure; beta: Figure; peak: Figure } | null;
  /** Where one service is too little: several side by side, each with a queue and a database of its own. */
  split: { services: Figure; workersEach: Figure } | null;
  /** Of an image, where a p99 was asked. */
  tail: { p50Ms: Figure; p95Ms: Figure; p99Ms: Figure } | null;
  growth: Growth;
  cost: Cost | null;
  /** Images that had arrived and not ended, of the simulated run. */
  backlog: [ms: number, images: number][];
  curve: { workers: number; perSecond: number; low: number; high: number }[];
}

/** A queue that is filled from the start looks the same after so many. */
const BATCH_IMAGES = 5000;
/** Times are told of 1 to so many workers. */
const TIMED = 64;

/** @param prices with the name of their file */
export function planOf(ground: Ground, question: Question, prices?: { prices: Prices; file: string }): Plan {
  const rates = ratesOf(ground, question);
  const needed = workersNeeded(ground, question, rates);
  const count = needed.workers.value;
  const shown = count ?? 1;
  const run = needed.tail ?? simulated(ground, question, rates, shown);
  const tookMs = timeWith(ground, question, rates, shown);
  const growth = growthOf(
    ground,
    question,
    run,
    question.p99Ms === null && count !== null ? tookMs.value! : question.deadlineMs,
  );
  const { shape, batch } = asked(ground, question);
  const mayAnswer = ground.illustrative === null;
  const verdict = !mayAnswer ? 'illustrative' : count === null ? 'impossible' : 'answered';
  const used: Figure =
    question.p99Ms === null ? tookMs : figure(question.deadlineMs, 'ms', { origin: 'given', source: '--deadline' });
  const plan: Omit<Plan, 'words'> = {
    schemaVersion: 1,
    kind: 'plan',
    question,
    ground: {
      file: ground.file,
      kind: ground.kind,
      what: ground.what,
      simulated: ground.simulated,
      illustrative: ground.illustrative,
      notes: ground.notes,
      images: { side: shape.side, cells: shape.cells, batch },
      law: rates.law,
    },
    verdict,
    workers: mayAnswer ? needed.workers : hidden(needed.workers, ground.illustrative!),
    tookMs: mayAnswer && count !== null ? used : hidden(used, ground.illustrative ?? needed.workers.source),
    stages: stagesOf(ground, machinesOf(shown, question), workersRate(rates, shown)),
    times: [...new Set([...Array.from({ length: TIMED }, (_, at) => at + 1), ...(mayAnswer ? [count ?? 1] : [])])]
      .toSorted((a, b) => a - b)
      .map((workers) => {
        const took = timeWith(ground, question, rates, workers);
        return {
          workers,
          perSecond: rateFigure(rates, workers),
          tookMs: took,
          inTime: took.value! <= question.deadlineMs,
        };
      }),
    ...curvePoints(rates),
    law: lawOf(rates),
    split: mayAnswer && question.p99Ms === null && count === null ? splitOf(rates, neededRate(ground, question)) : null,
    tail: needed.tail === null ? null : tailOf(needed.tail),
    growth,
    cost:
      prices === undefined || verdict !== 'answered'
        ? null
        : costOf(prices.prices, prices.file, {
            workers: needed.workers,
            tookMs: used,
            keptBytes: sum(growth.storageBytes, growth.databaseBytes),
            sentBytes: sum(growth.resultBytes, growth.eventBytes),
            images: question.images,
          }),
    backlog: run.backlog,
    curve: curveOf(rates, shown),
  };
  return { ...plan, words: wordsOf(plan) };
}

const hidden = (of: Figure, why: string): Figure =>
  figure(null, of.unit, { origin: of.origin, source: `no answer to buy by: ${why}` });

const sum = (a: Figure, b: Figure): Figure => ({ ...a, value: (a.value ?? 0) + (b.value ?? 0) });

/** As many images as show how the queue fills and empties. */
function simulated(ground: Ground, question: Question, rates: Rates, workers: number): SimulationOutcome {
  const images = Math.min(question.images, BATCH_IMAGES);
  return simulate(pipelineOf(ground, question, rates, { workers, images, arrivals: { kind: 'at once' } }));
}

const rateFigure = (rates: Rates, workers: number): Figure => ({
  ...figure(rates.at(workers), 'per-second', { origin: rates.origin, source: rates.source, ...rates.outside(workers) }),
  ...endsOf(rates.draws.map((rate) => rate(workers))),
});

const workersRate = (rates: Rates, workers: number): Figure =>
  figure(rates.workers(workers), 'per-second', {
    origin: rates.origin,
    source: `${workersWords(workers)}; ${rates.source}`,
    ...rates.outside(workers),
  });

/** All images with so many workers, the last one's own time included. */
function timeWith(ground: Ground, question: Question, rates: Rates, workers: number): Figure {
  const { images } = question;
  const last = tailMs(ground, question);
  const of = (perSecond: number) => (1000 * images) / perSecond + last;
  const { low, high } = endsOf(rates.draws.map((rate) => of(rate(workers))));
  const central = of(rates.at(workers));
  return {
    ...figure(central, 'ms', { origin: rates.origin, source: rates.source, ...rates.outside(workers) }),
    low: Math.min(low, central),
    high: high === null ? null : Math.max(high, central),
  };
}

function curvePoints(rates: Rates): Pick<Plan, 'knee' | 'top'> {
  const knee = kneeOf(rates.at);
  const top = topOf(rates.at);
  const sourced = { origin: rates.origin, source: rates.source };
  const ends = endsOf(rates.draws.map(kneeOf));
  return {
    knee: Number.isFinite(knee)
      ? {
          ...figure(knee, 'count', { ...sourced, ...rates.outside(knee) }),
          low: Math.min(knee, ends.low),
          high: ends.high,
        }
      : figure(null, 'count', { ...sourced, source: `none up to 4,096 workers; ${rates.source}` }),
    top: {
      workers: figure(top?.workers ?? null, 'count', { ...sourced, ...rates.outside(top?.workers ?? 1) }),
      perSecond: figure(top?.perSecond ?? null, 'per-second', { ...sourced, ...rates.outside(top?.workers ?? 1) }),
    },
  };
}

/** As few services as leave none of them beyond its knee: there workers are worth their money. */
function splitOf(rates: Rates, needed: number): Plan['split'] {
  if (!Number.isFinite(needed)) return null;
  const knee = kneeOf(rates.at);
  const most = Number.isFinite(knee) ? knee : MOST_WORKERS;
  const services = Math.ceil(needed / rates.at(most));
  const workers = fewest(rates.at, needed / services);
  const sourced = {
    origin: rates.origin,
    source: `${needed.toFixed(2)} images/s over services that have no more workers than the knee; ${rates.source}`,
    ...rates.outside(workers),
  };
  return { services: figure(services, 'count', sourced), workersEach: figure(workers, 'count', sourced) };
}

function lawOf({ usl, source }: Rates): Plan['law'] {
  if (usl === null) return null;
  const sourced = { origin: 'fitted', source } as const;
  const peak = peakOf(usl.fit)?.workers ?? null;
  return {
    alpha: { ...figure(usl.fit.alpha, 'ratio', sourced), ...endsOf(usl.draws.map(({ alpha }) => alpha)) },
    beta: { ...figure(usl.fit.beta, 'ratio', sourced), ...endsOf(usl.draws.map(({ beta }) => beta)) },
    peak: { ...figure(peak, 'count', sourced), ...endsOf(usl.draws.map((one) => peakOf(one)?.workers ?? Infinity)) },
  };
}

function tailOf({ staysMs, images }: SimulationOutcome): NonNullable<Plan['tail']> {
  const sourced = { origin: 'simulated', source: `simulated run of ${images.toLocaleString('en-US')} images` } as const;
  const at = (q: number) => figure(quantileOfSorted(staysMs, q), 'ms', sourced);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

/** As far as the answer, twice over, and at least to 64 workers. */
function curveOf(rates: Rates, workers: number): Plan['curve'] {
  const most = Math.max(64, 2 * workers);
  const step = Math.max(1, Math.floor(most / 64));
  return Array.from({ length: Math.ceil(most / step) }, (_, at) => 1 + at * step).map((count) => {
    const { low, high } = endsOf(rates.draws.map((rate) => rate(count)));
    return { workers: count, perSecond: rates.at(count), low, high: high ?? rates.at(count) };
  });
}
