import { expect, it } from 'vitest';
import { SCALE_OUT } from '../../../scenarios/scale-out.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import type { Load } from '../../src/load/load-run.ts';
import { judge, runScaleOut } from '../../src/load/scale-out.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 180_000;
const small = {
  ...SCALE_OUT,
  phases: { ...SCALE_OUT.phases, quickWorkers: [1, 2], imageMs: 200, leaseMs: 1000 },
};
const COUNTS = ['scale_images_wrong', 'scale_events_wrong'];

it(
  'counts the images of one worker, of two, and of one that is left, and loses none',
  async () => {
    const args = ['--scenario', 'scale-out', '--quick', '--count', '10'];
    const data = await withInput(args, {}, (input) => runScaleOut(small, new Date(), input));
    expect(data.stopped).toBeUndefined();
    const judged = judgeBudgets(data.measurements, SCALE_OUT.budgets, { imageCount: 50 });
    expect(judged.filter(({ name }) => COUNTS.includes(name)).map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
    expect(data.delivery).toMatchObject({ submitted: 50, completed: 50 });
    expect(data.tables![0]!.rows.map(([workers, images]) => [workers, images])).toEqual([
      [1, 10],
      [2, 20],
      ['2, then 1', 20],
    ]);
    expect(data.measurements.scale_kill_lost_ms?.weakened).toBeUndefined();
  },
  TIMEOUT_MS,
);

it('judges the worst step, and the first few apart', () => {
  const step = (workers: number, share: number) => ({ workers, images: 40 * workers, tookMs: 1, share });
  const verdicts = (...steps: ReturnType<typeof step>[]) => {
    const load: Pick<Load, 'measurements'> = { measurements: { scale_kill_lost_ms: { actual: 0 } } };
    judge(load, [step(1, 1), ...steps], { events: 0, images: 0 });
    return judgeBudgets(load.measurements, SCALE_OUT.budgets, { imageCount: 1 })
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ name, verdict }) => `${name} ${verdict}`);
  };
  expect(verdicts(step(2, 0.99), step(8, 0.92))).toEqual([]);
  expect(verdicts(step(2, 0.93), step(8, 0.92))).toEqual(['scale_share_to_4 fail']);
  expect(verdicts(step(2, 0.99), step(16, 0.8))).toEqual(['scale_share fail']);
  expect(verdicts()).toEqual(['scale_share_to_4 not-run', 'scale_share not-run']);
});
