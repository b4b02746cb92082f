import { expect, it } from 'vitest';
import { PROVE } from '../../../scenarios/prove.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { holds } from '../../src/measure/identities.ts';
import { runProve } from '../../src/prove/prove-run.ts';
import { withInput } from '../load/kit.ts';
import { FAST } from './prove-stub.ts';

const TIMEOUT_MS = 180_000;
const COUNT = 30;
const small = { ...PROVE, follow: { ...FAST, stallMs: 60_000 } };

/** A real run of our own service with servers of its own. */
const proofOf = (settings: Record<string, string>, giveUpMs: number) =>
  withInput(['--scenario', 'prove', '--count', String(COUNT)], settings, async (input) => {
    const run = await runProve({ ...small, follow: { ...small.follow, giveUpMs } }, new Date(), input);
    const budgets = judgeBudgets(run.measurements, PROVE.budgets, { imageCount: COUNT });
    return { run, verdicts: Object.fromEntries(budgets.map(({ name, verdict }) => [name, verdict])) };
  });

it(
  'proves our own service through a cut of the event connection, by its public interface',
  async () => {
    const { run, verdicts } = await proofOf({}, 15_000);
    expect(run.stopped).toBeUndefined();
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['pass']));
    expect(run.delivery).toMatchObject({ submitted: COUNT, completed: COUNT, terminalEventsReceived: COUNT });
    expect(run.identities?.map(({ name }) => name)).toContain('database’s clock');
    expect((run.identities ?? []).filter((one) => !holds(one))).toEqual([]);
    const [, connections, times] = run.tables ?? [];
    expect(connections?.rows.map(([connection]) => connection)).toEqual(['1', '2']);
    expect(times?.rows.map(([stage]) => stage)).toEqual(
      expect.arrayContaining(['work', 'infer', 'polygons', 'save', 'delivery of the event']),
    );
  },
  TIMEOUT_MS,
);

it(
  'finds an event that it loses and one that it tells twice',
  async () => {
    const { verdicts } = await proofOf({ PLANT: 'drop-event,duplicate-event' }, 2000);
    const red = Object.entries(verdicts).flatMap(([name, verdict]) => (verdict === 'fail' ? [name] : []));
    expect(red).toEqual(expect.arrayContaining(['proof_lost', 'proof_twice']));
  },
  TIMEOUT_MS,
);
