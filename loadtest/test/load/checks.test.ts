import { expect, it } from 'vitest';
import { FAIRNESS } from '../../../scenarios/fairness.ts';
import { openLedgerSocket, toldBy } from '../../src/drivers/ledger-socket.ts';
import { contradictionsOf } from '../../src/judge/verdict.ts';
import { runLoad } from '../../src/load/load-run.ts';
import { seedProject } from '../../src/load/simulated.ts';
import { awaitBatch, followBatch, startBatch } from '../../src/load/traffic.ts';
import { identitiesOfBatch } from '../../src/measure/batch-identities.ts';
import { holds } from '../../src/measure/identities.ts';
import type { Counted } from '../../src/measure/littles-law.ts';
import { pause } from '../../src/run/stop.ts';
import { withInput } from './kit.ts';

const IMAGES = 400;
const LAST_FRAME_MS = 500;

it('counts a batch in two ways that agree, and finds counters, stages and clocks that do not', async () => {
  await withInput(['--scenario', 'fairness', '--count', String(IMAGES)], {}, async (input) => {
    const given = { scenario: FAIRNESS, plan: { simulatedMs: 15 }, startedAt: new Date(), input };
    const run = await runLoad(given, async (load) => {
      const { fleet, signal, checks } = load;
      const api = await load.start('api');
      await Promise.all([load.start('relay'), load.start('worker')]);
      const target = { url: api.url!, key: fleet.key };
      const { projectId } = await seedProject(fleet.sql, { name: 'checks', images: IMAGES, side: 64, seed: 1 });
      const socket = await openLedgerSocket({ baseUrl: target.url, key: target.key, projectId });
      const { id } = await startBatch(target, projectId);
      const counted: Counted[] = [];
      const looked = followBatch(fleet.sql, id, { signal, onLook: (_, look) => counted.push(look) });
      const toldAt = toldBy(socket.log, id);
      await awaitBatch(load, id, { toldAt });
      await pause(LAST_FRAME_MS, signal);
      expect(checks.all().map(({ name }) => name)).toEqual([
        'Little’s law',
        'stage sums',
        'counters',
        'two clocks',
        'database’s clock',
      ]);
      expect(checks.all().filter((one) => !holds(one))).toEqual([]);

      await looked;
      const broken = async (counts?: Counted[]) =>
        (await identitiesOfBatch(fleet.sql, id, { toldAt, ...(counts && { counted: counts }) }))
          .filter((one) => !holds(one))
          .map(({ name }) => name);
      expect(await broken(counted)).toEqual([]);
      expect(await broken(counted.map((look) => ({ ...look, left: 1.2 * look.left + 20 })))).toEqual(['Little’s law']);
      await fleet.sql`UPDATE batch_items SET finished_at = finished_at + interval '10 s' WHERE batch_id = ${id}`;
      expect(await broken()).toEqual(['stage sums', 'database’s clock']);
      await fleet.sql`DELETE FROM batch_items WHERE batch_id = ${id} AND image_id = (SELECT image_id FROM batch_items LIMIT 1)`;
      expect(await broken()).toEqual(['stage sums', 'counters', 'database’s clock']);
      checks.add(await identitiesOfBatch(fleet.sql, id, { toldAt }));
      load.delivery = { submitted: IMAGES, completed: IMAGES };
      socket.close();
    });
    expect(run.stopped).toBeUndefined();
    expect(contradictionsOf(run)).toEqual([
      expect.stringMatching(/^stage sums: .*; the worst of 2\)$/),
      expect.stringMatching(/^counters: 400 and 399 differ/),
      expect.stringMatching(/^database’s clock: \d+ and 0 differ/),
    ]);
  });
}, 120_000);
