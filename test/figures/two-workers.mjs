// What a second inference child gains: images a second of one and of two, in turn, on the same images. Two cores must be idle.
// Exit 1 where it is less than expected.
//
//   node test/figures/two-workers.mjs [ROUNDS] [--keep]            (Node 24)
import { median } from '../../loadtest/src/measure/statistics.ts';
import { poolKit } from './pool-kit.mjs';
import { figure } from './tell.mjs';

const IMAGES = 120;
const LEAST = 1.8;

const { words, tell } = figure();
const rounds = Number(words[0] ?? 7);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`"${words[0]}": expected a whole number from 1 on`);
  process.exit(2);
}
async function measure() {
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
    return { model: kit.model, rates };
  } finally {
    await kit.close();
  }
}

await tell(async () => {
  const { model, rates } = await measure();
  const ratios = rates[1].map((two, i) => two / rates[0][i]);
  const row = (name, values) => [name, median(values), Math.min(...values), Math.max(...values)];
  return {
    table: {
      title: 'A second inference child',
      note: `${model}, ${rounds} rounds of ${IMAGES} images of 256² each, in turn.`,
      columns: [{ name: '' }, { name: 'median' }, { name: 'lowest' }, { name: 'highest' }],
      rows: [
        row('one child, images/s', rates[0]),
        row('two children, images/s', rates[1]),
        row('ratio of a round', ratios),
      ],
    },
    limits: [{ text: `ratio ${median(ratios).toFixed(2)}, at least ${LEAST}`, holds: median(ratios) >= LEAST }],
  };
});
