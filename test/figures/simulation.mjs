// How long the simulation of a million images takes on one core, and its memory. `node test/figures/simulation.mjs [IMAGES]`
import { simulate } from '../../loadtest/src/capacity/simulate/simulate.ts';

const images = Number(process.argv[2] ?? 1_000_000);
const runs = [
  { workers: 8, machines: 1, maxBatch: 1 },
  { workers: 64, machines: 8, maxBatch: 1 },
  { workers: 64, machines: 8, maxBatch: 8 },
];
for (const run of runs) {
  const began = process.cpuUsage();
  const outcome = simulate({
    ...run,
    seed: 1,
    images,
    arrivals: { kind: 'at once' },
    shapes: [
      { shape: { name: 'small', side: 256, cells: 45 }, share: 2 },
      { shape: { name: 'large', side: 512, cells: 180 }, share: 1 },
    ],
    batchDelayMs: 0,
    executionMs: (count, { side }, luck) => (10 + (count * side * side) / 5000) * (0.8 + 0.4 * luck),
    parts: {
      queueWindow: 500,
      concurrency: 8,
      relayMs: 0.2,
      redisMs: 0.05,
      consumerMs: 0.3,
      apiMs: 0.05,
      database: { cores: 8, msPerImage: 1 },
      eventWindowMs: 100,
      hostCores: null,
    },
  });
  const { user, system } = process.cpuUsage(began);
  const { rss } = process.memoryUsage();
  console.log(
    `${run.workers} workers in ${run.machines} processes, batches of ${run.maxBatch}: ${images} images in ${((user + system) / 1e6).toFixed(1)} s of CPU time, ` +
      `${(rss / 1e6).toFixed(0)} MB; ${outcome.perSecond.toFixed(0)} images/s simulated, mean batch ${outcome.meanBatch.toFixed(2)}`,
  );
}
