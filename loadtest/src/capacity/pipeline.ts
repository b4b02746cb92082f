import { EVENT_WINDOW_MS } from '#contract/events.ts';
import { SETTINGS } from '../../../service/src/settings.ts';
import type { Ground, SharedStage } from './ground.ts';
import type { Question } from './question.ts';
import { asked, fewest, type Rates } from './rates.ts';
import { drawMs, rateOf } from './service-time.ts';
import { machinesOf } from './stages.ts';
import type { SimulationInput } from './simulate/simulation.ts';

/** The service's defaults. */
export const QUEUE_WINDOW = SETTINGS.queueWindow.fallback ?? 500;
export const CONCURRENCY = SETTINGS.workerConcurrency.fallback ?? 8;

/** The service as it is by default, each stage with the CPU time of an image, ms. */
export const partsOf = (
  ms: (stage: SharedStage) => number,
  { cores, hostCores }: { cores: number; hostCores: number | null },
): SimulationInput['parts'] => ({
  queueWindow: QUEUE_WINDOW,
  concurrency: CONCURRENCY,
  relayMs: ms('relay'),
  redisMs: ms('redis'),
  consumerMs: ms('consumer'),
  apiMs: ms('api'),
  database: { cores, msPerImage: ms('postgres') },
  eventWindowMs: EVENT_WINDOW_MS,
  hostCores,
});

/**
 * A run of the question's images on so many workers, to be simulated. Workers take as long as they were measured to take, drawn
 * from that distribution; where the sweep says that they hinder each other, by so much longer.
 * @param slower times of executions are multiplied by it
 */
export function pipelineOf(
  ground: Ground,
  question: Question,
  rates: Rates,
  given: { workers: number; images: number; arrivals: SimulationInput['arrivals']; slower?: number },
): SimulationInput {
  const { service, demands, cores } = ground;
  const { workers, images, arrivals, slower = 1 } = given;
  const { shape, batch } = asked(ground, question);
  // Those that are busy hinder each other: all of them in a batch, and no more than the load keeps busy otherwise.
  const busy =
    arrivals.kind === 'at once' ? workers : Math.min(workers, fewest(rates.workers, arrivals.perSecond * slower));
  const alone = busy * rateOf(service, batch, shape);
  const stretch = slower * Math.max(1, alone / rates.workers(busy));
  const ms = (stage: SharedStage): number => demands[stage].value ?? 0;
  return {
    seed: question.seed,
    images,
    arrivals,
    shapes: [{ shape, share: 1 }],
    workers,
    machines: machinesOf(workers, question),
    maxBatch: batch,
    batchDelayMs: question.batchDelayMs,
    executionMs: (count, of, luck) => stretch * drawMs(service, count, of, luck),
    parts: partsOf(ms, { cores, hostCores: null }),
  };
}
