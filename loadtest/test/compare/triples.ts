import type { BlockFigures, Triple } from '../../src/compare/contract.ts';
import { createNormal, createRandom } from '../../src/images/random.ts';

export const figures = (over: Partial<BlockFigures> = {}): BlockFigures => ({
  cpuMsPerImage: 30,
  batchMsPerImage: 29,
  imageP50Ms: 1500,
  imageP95Ms: 2900,
  imagesPerSecond: 35,
  apiP50Ms: 4,
  apiP95Ms: 12,
  queriesPerImage: 1.2,
  apiBytesPerImage: 8000,
  framesPerBatch: 18,
  eventsWrong: 0,
  notCompleted: 0,
  listenerWarnings: 0,
  cpuMsByRole: { api: 2, inference: 26, relay: 1, worker: 1 },
  stageMs: { infer: 24, decode: 3 },
  foreignCpuShare: 0.02,
  generatorLagP99Ms: 3,
  durationMs: 2900,
  ...over,
});

const TIMES = ['cpuMsPerImage', 'imageP50Ms', 'imageP95Ms'] as const;

/** Pairs of one program with log-normal noise of `spread`, head's times multiplied by `growth`. */
export function triples(
  count: number,
  given: { seed?: number; spread?: number; growth?: Partial<BlockFigures>; head?: Partial<BlockFigures> } = {},
): Triple[] {
  const { seed = 1, spread = 0.03, growth = {}, head = {} } = given;
  const normal = createNormal(createRandom(seed, 77));
  const block = (over: Partial<BlockFigures>, times: Partial<BlockFigures>): BlockFigures => {
    const one = figures(over);
    for (const name of TIMES) one[name] = Number(one[name]) * Math.exp(normal() * spread) * Number(times[name] ?? 1);
    return one;
  };
  return Array.from({ length: count }, () => ({
    a: block({}, {}),
    again: block({}, {}),
    b: block(head, growth),
    order: 'a again b',
  }));
}
