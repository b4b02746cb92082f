import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CAPACITY } from '../../../scenarios/capacity.ts';
import { planOf } from '../../src/capacity/plan.ts';
import { readGround } from '../../src/capacity/read-ground.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { runCapacity } from '../../src/load/capacity.ts';
import { QUESTION } from '../capacity/grounds.ts';
import { withInput } from './kit.ts';

const LEVELS = [1, 2, 3, 4, 5, 6];
const IMAGES = 48;

it('sweeps simulated workers through the real queue, and leaves what a plan can be made of', async () => {
  const args = ['--scenario', 'capacity', '--pool', 'sim:rtx-a5000-unet', '--count', String(IMAGES)];
  await withInput(args, {}, async (input) => {
    const phases = { ...CAPACITY.phases, simulated: LEVELS, mostTimes: 1, warm: 4 };
    const run = await runCapacity({ ...CAPACITY, phases }, new Date(), input);
    expect(run.stopped).toBeUndefined();
    expect(run.delivery).toMatchObject({ submitted: LEVELS.length * IMAGES, completed: LEVELS.length * IMAGES });
    const { levels, shapes, bytes, simulated } = run.capacity!;
    expect(simulated).toBe(true);
    expect(levels.map(({ workers }) => workers)).toEqual(LEVELS);
    // 23 ms and more of timers an image: one worker does no more than the timers let it, and six do more than one.
    expect(levels[0]!.perSecond).toBeLessThan(43);
    expect(levels.at(-1)!.perSecond).toBeGreaterThan(levels[0]!.perSecond);
    expect(levels[0]!.cpuMsPerImage['worker']).toBeGreaterThan(0);
    expect(shapes.map(({ width }) => width)).toEqual([128, 256, 512]);
    expect(shapes[2]!.meanMs).toBeGreaterThan(shapes[0]!.meanMs);
    expect(bytes.polygons).toBeGreaterThan(500);
    expect(bytes.events).toBeGreaterThan(100);
    expect(bytes.database).toBeGreaterThan(bytes.polygons!);

    const result = judgeRun({ run, scenario: CAPACITY, tool: { name: 'segbench', version: '0', commit: 'x' } });
    expect(result.budgets.map(({ name, actual }) => [name, actual])).toEqual([
      ['capacity_images_wrong', 0],
      ['capacity_levels', LEVELS.length],
    ]);
    const file = join(input.folder.path, 'result.json');
    await writeFile(file, JSON.stringify(result));
    const ground = await readGround(input.folder.path);
    expect(ground.file).toBe(file);
    expect(ground.simulated).toBe(true);
    const plan = planOf(ground, QUESTION);
    expect(plan.ground.law).toBe('scalability law');
    // The profile it was simulated by is illustrative: nothing may be bought by it.
    expect(plan.verdict).toBe('illustrative');
    expect(plan.growth.databaseBytes).toMatchObject({ origin: 'measured' });
  });
}, 120_000);
