import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { ErrorBody } from '#contract/common.ts';
import { InferenceFailure } from '../../src/inference/failure.ts';
import { fakeBackend, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';

/** The documented answers: state → action → cell of the table. */
const table = new Map<string, Map<string, string>>();
const ACTIONS = ['pause', 'resume', 'cancel', 'retry with', 'retry without'] as const;
const page = readFileSync(new URL('../../../docs/batches.md', import.meta.url), 'utf8');
for (const line of page.split('\n')) {
  const [state = '', ...answers] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  if (answers.length === ACTIONS.length && /^(queued|running|paused|completed|cancelled)$/.test(state))
    table.set(state, new Map(ACTIONS.map((action, index) => [action, answers[index]!])));
}

/** Nothing is handed out here: batches stay as they are. */
let idle: Path;
/** Here images fail, pass, or run for ever, by the first letter of their bytes. */
let busy: Path;
const gate = Promise.withResolvers<void>();
const letters = new Map<string, string>();

beforeAll(async () => {
  idle = await startPath();
  // Room for all that wait for ever.
  busy = await startPath({ WORKERS: '16' });
  await busy.relay();
  const { backend } = fakeBackend(({ sha256 }) => {
    if (letters.get(sha256) === 'f') throw new InferenceFailure('INVALID_IMAGE', 'cut file');
    if (letters.get(sha256) === 'w') return gate.promise;
  });
  await busy.worker(backend);
});
afterAll(async () => {
  gate.resolve();
  await busy.close();
  await idle.close();
});

/** A batch with an image for each letter: f fails, p passes, w waits. */
async function start(path: Path, kinds: string): Promise<string> {
  const name = crypto.randomUUID();
  const { projectId, hashes } = await insertProject(path.sql, kinds.length, (index) => `${name} ${index}`);
  hashes.forEach((hash, index) => letters.set(hash, kinds[index]!));
  return (await path.start(projectId)).id;
}
const failOne = (path: Path, id: string) => path.sql`
  WITH one AS (UPDATE batch_items SET status = 'failed', error_code = 'TIMEOUT', finished_at = now()
    WHERE (batch_id, image_id) IN (SELECT batch_id, image_id FROM batch_items WHERE batch_id = ${id} LIMIT 1))
  UPDATE batches SET queued = queued - 1, failed = failed + 1 WHERE id = ${id}`;

/** Makes a batch of a state, with or without an image that failed in it. */
const MAKERS: Record<string, (failed: boolean) => Promise<{ path: Path; id: string }>> = {
  async queued(failed) {
    const id = await start(idle, 'pp');
    if (failed) await failOne(idle, id);
    return { path: idle, id };
  },
  async running(failed) {
    const id = await start(busy, failed ? 'fw' : 'w');
    await until(async () => {
      const { counts } = await busy.get(id);
      return counts.processing === 1 && counts.failed === (failed ? 1 : 0);
    });
    return { path: busy, id };
  },
  async paused(failed) {
    const { path, id } = await MAKERS['queued']!(failed);
    await path.post(`/api/batches/${id}/pause`);
    return { path, id };
  },
  async completed(failed) {
    const id = await start(busy, failed ? 'fp' : 'p');
    await busy.ended(id);
    return { path: busy, id };
  },
  async cancelled(failed) {
    const { path, id } = await MAKERS['queued']!(failed);
    await path.post(`/api/batches/${id}/cancel`);
    return { path, id };
  },
};

it('documents every state', () => expect([...table.keys()]).toEqual(Object.keys(MAKERS)));

describe.each(Object.keys(MAKERS))('a batch that is %s', (state) => {
  it.each(ACTIONS)('answers to %s as documented', async (action) => {
    const { path, id } = await MAKERS[state]!(action === 'retry with');
    expect((await path.get(id)).status).toBe(state);
    const [verb] = action.split(' ');
    const json = verb === 'retry' ? { only: 'failed' } : undefined;
    const reply = await path.server.call(`/api/batches/${id}/${verb}`, {
      method: 'POST',
      ...(json === undefined ? {} : { json }),
    });
    const body = (await reply.json()) as Batch & ErrorBody;
    const told = verb === 'retry' && body.retryOf === id && body.total === 1 ? 'new batch' : body.status;
    const seen = reply.status === 409 && body.code === 'CONFLICT' ? '409' : `${reply.status} ${told}`;
    const [status, ...states] = table
      .get(state)!
      .get(action)!
      .split(/ (?:or )?/);
    const allowed =
      status === '409' || verb === 'retry' ? [table.get(state)!.get(action)] : states.map((one) => `${status} ${one}`);
    expect(allowed).toContain(seen);
  });
  it('stays as it is where an action is refused, and says so by name', async () => {
    const { path, id } = await MAKERS[state]!(false);
    const reply = await path.server.call(`/api/batches/${id}/retry`, { method: 'POST', json: { only: 'failed' } });
    expect(await reply.json()).toMatchObject({ statusCode: 409, message: expect.stringContaining(id) });
    expect((await path.get(id)).status).toBe(state);
  });
});

it('leaves no counter wrong', async () => {
  gate.resolve();
  await until(async () => (await busy.sql`SELECT 1 FROM batches WHERE processing > 0`).length === 0);
  expect(await wrongCounters(busy.sql)).toEqual([]);
});
