import type { FairnessScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import { pause } from '../run/stop.ts';
import type { RunInput } from '../run/run-input.ts';
import { runLoad, type Load } from './load-run.ts';
import { countEnded, seedProject, wrongCounters } from './simulated.ts';
import { awaitBatch, startBatch } from './traffic.ts';

const SIDE = 64;

export function runFairness(scenario: FairnessScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: scenario.phases.imageMs };
  return runLoad({ scenario, plan, startedAt, input }, (load) => fairness(scenario, load));
}

async function fairness({ phases }: FairnessScenario, load: Load): Promise<void> {
  const { fleet, signal } = load;
  const { options } = load.input;
  const huge = options.count ?? 10_000;
  load.images = huge;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const seeded = (name: string, images: number) =>
    seedProject(fleet.sql, { name, images, side: SIDE, seed: options.seed });
  const small = await seeded('small', phases.small);
  const big = await seeded('huge', huge);
  const few = { imageIds: big.imageIds.slice(0, phases.small), force: true };

  const alone = await load.phase(
    'alone',
    async () => awaitBatch(load, (await startBatch(target, small.projectId, { all: true, force: true })).id),
    (ms) => `${Math.round(ms)} ms`,
  );
  const hugeBatch = await startBatch(target, big.projectId, { all: true });
  const hugeEnds = awaitBatch(load, hugeBatch.id);
  const progressOf = async () => {
    const [row] = await fleet.sql<{ done: number; open: boolean }[]>`
      SELECT completed + failed AS done, finished_at IS NULL AS open FROM batches WHERE id = ${hugeBatch.id}`;
    return row ?? { done: 0, open: false };
  };
  // Well under way: the queue is full of it.
  while ((await progressOf()).done < Math.min(200, huge / 4)) await pause(20, signal);
  const behind = async (projectId: string, body: Record<string, unknown>) => {
    const before = await progressOf();
    const tookMs = await awaitBatch(load, (await startBatch(target, projectId, body)).id);
    const after = await progressOf();
    return { tookMs, hugeDone: after.done - before.done, stillOpen: after.open };
  };
  const other = await load.phase('behind another project', () => behind(small.projectId, { all: true, force: true }));
  const urgent = await load.phase('urgent in its own project', () =>
    behind(big.projectId, { ...few, priority: phases.urgent }),
  );
  await load.phase('the rest', () => hugeEnds);
  const wrong = await wrongCounters(fleet.sql);
  const ratio = ({ tookMs, hugeDone, stillOpen }: typeof other) => ({
    actual: tookMs / alone,
    note: `${Math.round(tookMs)} ms, alone ${Math.round(alone)} ms; ${hugeDone} images of the huge batch ended meanwhile`,
    ...(stillOpen ? {} : { weakened: 'the huge batch ended before' }),
    ...(wrong > 0 ? { weakened: `${wrong} batches have wrong counters` } : {}),
  });
  load.measurements.fairness_other_project_ratio = ratio(other);
  load.measurements.fairness_urgent_ratio = ratio(urgent);
  const total = huge + 3 * phases.small;
  load.delivery = { submitted: total, ...(await countEnded(fleet.sql)) };
  load.tables.push({
    title: `A batch of ${phases.small} images`,
    note: `A timer of ${phases.imageMs} ms stands for every inference, in ${options.workers} places.`,
    columns: [
      { name: 'case' },
      { name: 'time', unit: 'ms' },
      { name: 'by its time alone', unit: 'ratio' },
      { name: 'images of the huge batch meanwhile', unit: 'count' },
    ],
    rows: [
      ['alone', alone, 1, 0],
      ['behind another project', other.tookMs, other.tookMs / alone, other.hugeDone],
      [`priority ${phases.urgent}, behind its own project`, urgent.tookMs, urgent.tookMs / alone, urgent.hugeDone],
    ],
  });
}
