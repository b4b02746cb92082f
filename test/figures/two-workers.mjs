// What a second inference child gains: images a second of one and of two, in turn, on the same images. Two cores must be idle.
//
//   node test/figures/two-workers.mjs [ROUNDS]            (Node 24)
import { median } from '../../loadtest/src/measure/statistics.ts';
import { poolKit } from './pool-kit.mjs';

const IMAGES = 120;
const LEAST = 1.8;

const rounds = Number(process.argv[2] ?? 7);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`"${process.argv[2]}": expected a whole number from 1 on`);
  process.exit(2);
}
const kit = await poolKit();
try {
  const images = await kit.images(256, IMAGES);
  const pools = [await kit.local(1), await kit.local(2)];
  const rates = [[], []];
  for (let round = 0; round <= rounds; round++)
    for (const [i, pool] of pools.entries()) {
      const start = performance.now();
      await Promise.all(images.map((image, id) => pool.infer(kit.request(image, id), { deadlineMs: 60_000 })));
      if (round > 0) rates[i].push((1000 * IMAGES) / (performance.now() - start)); // the first warms up
    }
  const ratios = rates[1].map((two, i) => two / rates[0][i]);
  console.log(`${kit.model}, ${rounds} rounds of ${IMAGES} images of 256²`);
  console.log(`one child ${median(rates[0]).toFixed(1)} images/s, two ${median(rates[1]).toFixed(1)} images/s`);
  console.log(
    `ratio ${median(ratios).toFixed(2)} (median; ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}), expected >= ${LEAST}`,
  );
  if (median(ratios) < LEAST) process.exitCode = 1;
} finally {
  await kit.close();
}
