import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FAULTS } from '../../../scenarios/faults.ts';
import type { FaultsScenario } from '../../../scenarios/scenario.ts';
import { parseBenchOptions } from '../../src/cli/options.ts';
import type { RunData } from '../../src/contract.ts';
import { runFaults } from '../../src/faults/faults-run.ts';
import { holds } from '../../src/measure/identities.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { createRunFolder } from '../../src/run/folder.ts';
import { createProgress } from '../../src/run/progress.ts';
import { createStop } from '../../src/run/stop.ts';

const TIMEOUT_MS = 180_000;
/** Half of each batch has ended when its fault comes. */
const SMALL: FaultsScenario = { ...FAULTS, instants: [0.5], images: { ...FAULTS.images, count: 24 } };
let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'segbench-faults-'));
});
afterEach(() => rm(out, { recursive: true, force: true }));

/** A real run: servers, service and browser of its own. */
async function run(faults: string, settings: Record<string, string> = {}): Promise<{ data: RunData; raw: string }> {
  const args = ['--scenario', 'faults', '--faults', faults, '--pool', 'sim:rtx-a5000-unet', '--count', '24'];
  const command = parseBenchOptions([...args, '--out', out]);
  if (command.kind !== 'run') throw new Error('expected a run');
  const folder = await createRunFolder(out, 'faults', new Date());
  const progress = createProgress({ write: () => true });
  try {
    const input = { options: { ...command.options, scenario: SMALL }, folder, progress, stop: createStop(), settings };
    return {
      data: await runFaults(SMALL, new Date(), input),
      raw: await readFile(join(folder.path, 'raw/violations.ndjson'), 'utf8'),
    };
  } finally {
    progress.close();
    await folder.close();
  }
}
const failed = ({ measurements }: RunData) =>
  judgeBudgets(measurements, FAULTS.budgets, { imageCount: 24 })
    .filter(({ verdict, unit }) => verdict === 'fail' && unit === 'count')
    .map(({ name }) => name);

it(
  'finds nothing lost and nothing twice after a worker was killed, PostgreSQL restarted and the sequencer killed',
  async () => {
    const { data } = await run('F2,F10,N8');
    expect(data.stopped).toBeUndefined();
    expect(failed(data)).toEqual([]);
    const rows = data.tables?.[0]?.rows ?? [];
    expect(rows.map((row) => [row[0], row[3], row.at(-1)])).toEqual([
      ['F2', '24 of 24 ended', 'hold'],
      ['F10', '24 of 24 ended', 'hold'],
      ['N8', '24 of 24 ended', 'hold'],
    ]);
    expect(data.delivery).toMatchObject({ submitted: 72, completed: 72, missing: 0, duplicates: 0, sequenceGaps: 0 });
    expect((data.identities ?? []).filter((one) => !holds(one))).toEqual([]);
    expect(data.identities?.map(({ name }) => name)).toEqual(expect.arrayContaining(['counters', 'two clocks']));
    expect(data.measurements.fault_toasts_per_batch?.actual).toBe(1);
    expect(data.measurements.recovery_worker_killed_ms?.actual).toBeGreaterThan(0);
    expect(data.measurements.recovery_database_restart_ms?.actual).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

it(
  'finds an event that is lost and one that comes twice, and names the images',
  async () => {
    const { data, raw } = await run('F16', { PLANT: 'drop-event,duplicate-event' });
    expect(failed(data).toSorted()).toEqual(['fault_duplicates', 'fault_sequence_gaps']);
    expect(data.measurements.fault_duplicates?.note).toMatch(
      /F16 at 50 % \(.+Z\): image [\da-f-]{36} batch .* 2 terminal/,
    );
    expect(raw).toContain('ended, and the client was never told');
  },
  TIMEOUT_MS,
);
