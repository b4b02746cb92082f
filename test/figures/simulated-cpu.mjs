// Whether a simulation by a calibrated profile predicts the CPU pool that it was calibrated on: throughput under more load than it
// bears, and p95 of the latency under a load that is held out (sizes that were not calibrated, arrivals at random). Real and
// simulated runs take turns. A machine that is slower during a run than during calibration shows in more wall clock for the same
// CPU time; real figures are corrected by that, and given as they were too.
//
//   node test/figures/simulated-cpu.mjs [ROUNDS] [--keep]            (Node 24; about five minutes)
import { setTimeout as sleep } from 'node:timers/promises';
import { profileOf } from '../../loadtest/src/calibrate/profile.ts';
import { sweep } from '../../loadtest/src/calibrate/sweep.ts';
import { createRandom } from '../../loadtest/src/images/random.ts';
import { createSimulatedPool } from '../../service/src/inference/sim/pool.ts';
import { median, quantile } from '../../loadtest/src/measure/statistics.ts';
import { poolKit } from './pool-kit.mjs';
import { figure } from './tell.mjs';

const WORKERS = 2;
const CALIBRATED = [192, 320, 512];
const HELD_OUT = [256, 256, 256, 384, 448];
const IMAGES = 200;
/** Share of what the pool bears, of the load with arrivals at random. */
const LOAD = 0.65;
const WITHIN = 0.15;
const { words, tell } = figure();
const rounds = Number(words[0] ?? 7);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`"${words[0]}": expected a whole number from 1 on`);
  process.exit(2);
}

const sum = (record) => Object.values(record).reduce((total, ms) => total + ms, 0);
const slownessOf = (outputs) =>
  outputs.reduce((total, { batchMs }) => total + batchMs, 0) /
  outputs.reduce((total, { cpuStages }) => total + sum(cpuStages), 0);

/** @returns outputs, and images a second with all of them waiting from the start */
async function saturate(kit, pool, images) {
  const start = performance.now();
  const outputs = await Promise.all(
    images.map((image, id) => pool.infer(kit.request(image, id), { deadlineMs: 60_000 })),
  );
  return { outputs, figure: (1000 * images.length) / (performance.now() - start) };
}
/** @returns outputs, and the p95 of queue and execution with arrivals at random */
async function arrive(kit, pool, images, rate, seed) {
  const random = createRandom(seed);
  const answers = [];
  let due = performance.now();
  for (const [id, image] of images.entries()) {
    due += (-Math.log(1 - random()) * 1000) / rate;
    await sleep(Math.max(0, due - performance.now()));
    const asked = performance.now();
    const answer = pool.infer(kit.request(image, id), { deadlineMs: 60_000 });
    answers.push(answer.then((output) => ({ output, ms: performance.now() - asked })));
  }
  const done = await Promise.all(answers);
  const times = done.map(({ ms }) => ms);
  return { outputs: done.map(({ output }) => output), figure: quantile(times, 0.95) };
}

/** @returns model, profile, the load of the p95 in images/s, and each round's figures by pool */
async function measure() {
  const kit = await poolKit();
  try {
    const single = await kit.local(1, { maxBatch: 4 });
    const files = new Map();
    for (const side of CALIBRATED)
      files.set(
        side,
        (await kit.images(side, 8)).map(({ file }) => file),
      );
    const options = { batches: [1, 2, 4], files, modelDir: kit.modelDir };
    await sweep(single, { ...options, rounds: 1 });
    const executions = await sweep(single, { ...options, rounds: 9 });
    const about = {
      name: 'this-cpu',
      device: 'this CPU',
      model: kit.model,
      versions: {},
      source: 'here',
      covers: 'decode to polygons',
    };
    const profile = profileOf(executions, about);
    const calibrated =
      executions.reduce((total, { ms }) => total + ms, 0) / executions.reduce((total, { cpuMs }) => total + cpuMs, 0);

    const bySide = new Map();
    for (const side of new Set(HELD_OUT)) bySide.set(side, await kit.images(side, IMAGES / 4));
    const images = Array.from({ length: IMAGES }, (_, i) => {
      const all = bySide.get(HELD_OUT[i % HELD_OUT.length]);
      return all[i % all.length];
    });
    const pools = {
      real: await kit.local(WORKERS),
      simulated: await kit.keep(createSimulatedPool(profile, { workers: WORKERS, timeoutMs: 60_000 })),
    };
    const found = { real: { rate: [], p95: [] }, simulated: { rate: [], p95: [] }, raw: { rate: [], p95: [] } };
    let rate = 0;
    // A pool that is slower than calibrated is busier at the same rate of arrivals: the simulated one gets as many in its own time.
    let slower = 1;
    for (let round = 0; round <= rounds; round++)
      for (const [which, pool] of Object.entries(pools)) {
        const full = await saturate(kit, pool, images);
        if (round === 0) {
          if (which === 'real') rate = LOAD * full.figure; // the first warms up, and sets the load
          continue;
        }
        const some = await arrive(kit, pool, images, which === 'real' ? rate : rate * slower, round);
        if (which === 'real') {
          slower = slownessOf(some.outputs) / calibrated;
          found.raw.rate.push(full.figure);
          found.raw.p95.push(some.figure);
          full.figure *= slownessOf(full.outputs) / calibrated;
          some.figure /= slower;
        }
        found[which].rate.push(full.figure);
        found[which].p95.push(some.figure);
      }
    return { model: kit.model, profile, found, rate };
  } finally {
    await kit.close();
  }
}

await tell(async () => {
  const { model, profile, found, rate } = await measure();
  const { fixedMs, msPerMegapixel, residual } = profile.time;
  const compared = [
    { of: 'rate', name: 'throughput, images/s' },
    { of: 'p95', name: `p95 at ${rate.toFixed(1)} images/s, ms` },
  ].map((each) => {
    const [real, raw, simulated] = ['real', 'raw', 'simulated'].map((which) => median(found[which][each.of]));
    return { ...each, real, raw, simulated, error: simulated / real - 1 };
  });
  return {
    table: {
      title: 'A simulated pool beside the one that it was calibrated on',
      note:
        `${model}, ${WORKERS} children, medians of ${rounds} rounds in turn, sizes and arrivals held out. Simulated by ` +
        `T = ${fixedMs} ms + ${msPerMegapixel} ms · megapixels, ± ${(100 * residual).toFixed(1)} %.`,
      columns: ['', 'real, for the CPU of calibration', 'real, as measured', 'simulated', 'error'].map((name) => ({
        name,
      })),
      rows: compared.map(({ name, real, raw, simulated, error }) => [
        name,
        ...[real, raw, simulated].map((value) => value.toFixed(1)),
        `${(100 * error).toFixed(1)} %`,
      ]),
    },
    limits: compared.map(({ name, error }) => ({
      text: `${name}: off by ${Math.abs(100 * error).toFixed(1)} %, at most ${100 * WITHIN} %`,
      holds: Math.abs(error) <= WITHIN,
    })),
  };
});
