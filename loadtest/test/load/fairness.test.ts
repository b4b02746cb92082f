import { expect, it } from 'vitest';
import { FAIRNESS } from '../../../scenarios/fairness.ts';
import { runFairness } from '../../src/load/fairness.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 180_000;
const HUGE = 1200;
const small = { ...FAIRNESS, phases: { ...FAIRNESS.phases, small: 40, imageMs: 10 } };

/** Images of the huge batch that ended while the small one waited: behind another project, and urgent in its own. */
const overtaken = (settings: Record<string, string> = {}): Promise<number[]> =>
  withInput(['--scenario', 'fairness', '--count', String(HUGE)], settings, async (input) => {
    const { tables, stopped, delivery } = await runFairness(small, new Date(), input);
    expect(stopped).toBeUndefined();
    expect(delivery.completed).toBe(HUGE + 3 * small.phases.small);
    return tables![0]!.rows.slice(1).map((row) => Number(row[3]));
  });

it(
  'lets forty images through after at most as many as were in the queue, and as many again',
  async () => {
    const [other, urgent] = await overtaken();
    expect(other).toBeLessThan(350);
    expect(urgent).toBeLessThan(350);
  },
  TIMEOUT_MS,
);

it(
  'is seen to fail when projects are served in the order of their batches',
  async () => {
    const [other] = await overtaken({ PLANT: 'first-come' });
    expect(other).toBeGreaterThan(600);
  },
  TIMEOUT_MS,
);
