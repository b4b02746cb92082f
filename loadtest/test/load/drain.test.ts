import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DRAIN } from '../../../scenarios/drain.ts';
import type { RunData } from '../../src/contract.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { runDrain } from '../../src/load/drain.ts';
import { holds } from '../../src/measure/identities.ts';
import { childLike, withInput } from './kit.ts';

const TIMEOUT_MS = 180_000;
const small = { ...DRAIN, phases: { ...DRAIN.phases, imageMs: 80, drainMs: 1000, restMs: 300 } };
const run = (settings: Record<string, string> = {}): Promise<RunData> =>
  withInput(['--scenario', 'drain', '--count', '360'], settings, (input) => runDrain(small, new Date(), input));
const red = (data: RunData) =>
  judgeBudgets(data.measurements, DRAIN.budgets, { imageCount: 360 })
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'not-run')
    .map(({ name, note }) => `${name}: ${note}`);

it(
  'replaces every process during a batch, and neither a client, an image nor an event notices',
  async () => {
    const data = await run();
    expect(data.stopped).toBeUndefined();
    expect([red(data), data.environment.notes.filter((note) => note.startsWith('the balancer'))]).toEqual([[], []]);
    expect(data.delivery).toMatchObject({ submitted: 360, completed: 360, missing: 0, duplicates: 0, sequenceGaps: 0 });
    expect(data.tables![0]!.rows).toHaveLength(4);
    const names = ['Little’s law', 'stage sums', 'Little’s law of requests', 'counters'];
    expect(data.identities?.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(data.identities?.filter((one) => !holds(one))).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'is seen to fail when a process that ends still says that it is ready',
  async () => expect(red(await run({ PLANT: 'ready-while-ending' })).join()).toMatch(/^drain_failed_requests: /),
  TIMEOUT_MS,
);

it(
  'passes nothing that a late generator could have eased',
  async () => {
    const stall = async () => {
      const pid = await childLike(/generator-child/);
      await sleep(500);
      process.kill(pid, 'SIGSTOP');
      await sleep(1000);
      process.kill(pid, 'SIGCONT');
    };
    const [{ measurements }] = await Promise.all([run(), stall()]);
    const verdicts = judgeBudgets(measurements, DRAIN.budgets, { imageCount: 360 });
    const unsure = verdicts.filter(({ verdict }) => verdict === 'inconclusive').map(({ name }) => name);
    expect(unsure).toEqual(expect.arrayContaining(['drain_failed_requests', 'drain_exit_ms']));
    expect(measurements.drain_failed_requests?.weakened).toMatch(/ms late \(p99\)/);
    expect(measurements.drain_bad_exits?.weakened).toBeUndefined();
  },
  TIMEOUT_MS,
);
