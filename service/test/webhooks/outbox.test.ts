import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Batch } from '#contract/batches.ts';
import { createMetrics } from '../../src/metrics.ts';
import { startRole } from '../../src/role-process.ts';
import { createWebhooks, setStanding } from '../../src/webhooks/outbox.ts';
import { fakeBackend, insertProject, until } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { SECRET, startReceiver, type Receiver } from './receiver.ts';

let receiver: Receiver;
let path: Path;
beforeAll(async () => {
  receiver = await startReceiver();
  path = await startPath({
    WEBHOOK_ORIGINS: receiver.origin,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_TIMEOUT_MS: '300',
  });
});
afterAll(async () => {
  await path?.close();
  await receiver?.close();
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.answerWith((reply) => reply.end());
  await path.sql`delete from webhook_outbox`;
  await setStanding(path.sql, '');
});

const waiting = () =>
  path.sql<{ id: string; attempts: number; dueMs: number }[]>`
    select id, attempts, extract(epoch from due_at - clock_timestamp())::float8 * 1000 as "dueMs" from webhook_outbox order by created_at`;
const dueNow = () => path.sql`update webhook_outbox set due_at = clock_timestamp()`;
/** The sender, driven by hand. */
function sender(change: Partial<Parameters<typeof createWebhooks>[0]> = {}) {
  const metrics = createMetrics('relay');
  const errors: string[] = [];
  const lines: string[] = [];
  const webhooks = createWebhooks({
    sql: path.sql,
    config: path.server.app.config,
    metrics,
    log: (level, message) => lines.push(`${level} ${message}`),
    onError: (error) => errors.push(String(error)),
    random: () => 0,
    ...change,
  });
  const counts = async () => {
    const text = await metrics.registry.metrics();
    const of = (outcome: string) =>
      Number(new RegExp(`segbench_webhooks_total\\{outcome="${outcome}"[^}]*\\} (\\d+)`).exec(text)?.[1]);
    return { sent: of('sent'), failed: of('failed'), givenUp: of('given-up') };
  };
  return { webhooks, errors, lines, counts };
}
/** A batch that nobody works on, told to `url`. */
async function newBatch(url?: string): Promise<Batch> {
  const { projectId } = await insertProject(path.sql, 2);
  return path.start(projectId, { all: true, ...(url === undefined ? {} : { webhook: url }) });
}

describe('what is told', () => {
  it('is each end of a batch once, to its own target and to the operator’s, as the batch was then', async () => {
    await setStanding(path.sql, `${receiver.origin}/operator`);
    const own = `${receiver.origin}/own?x=1`;
    const [told, silent] = [await newBatch(own), await newBatch()];
    expect(await waiting()).toEqual([]);
    await path.post(`/api/batches/${told.id}/cancel`);
    await path.post(`/api/batches/${told.id}/cancel`);
    await path.post(`/api/batches/${silent.id}/cancel`);
    const { webhooks, counts } = sender();
    expect(await webhooks.step()).toBe(true);
    expect(receiver.received.map((one) => `${one.path} ${String(one.body.data['batchId'])}`).toSorted()).toEqual(
      [`/operator ${told.id}`, `/operator ${silent.id}`, `/own?x=1 ${told.id}`].toSorted(),
    );
    expect(receiver.received.map(({ problem }) => problem)).toEqual([null, null, null]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3);
    expect(receiver.received.find((one) => one.path === '/own?x=1')).toMatchObject({
      headers: { 'content-type': 'application/json', 'user-agent': expect.stringMatching(/^segbench\/\d/) as string },
      body: {
        type: 'batch.cancelled',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        data: {
          batchId: told.id,
          projectId: told.projectId,
          status: 'cancelled',
          total: 2,
          counts: { queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 2 },
          retryOf: null,
        },
      },
    });
    expect([await waiting(), await counts(), await webhooks.step()]).toEqual([
      [],
      { sent: 3, failed: 0, givenUp: 0 },
      false,
    ]);
  });

  it('is a batch that paused itself, and none that a person paused', async () => {
    const batch = await newBatch(`${receiver.origin}/x`);
    await path.post(`/api/batches/${batch.id}/pause`);
    await path.post(`/api/batches/${batch.id}/resume`);
    expect(await waiting()).toEqual([]);
    await path.sql`update batches set status = 'paused', paused_reason = 'too many failed' where id = ${batch.id}`;
    await sender().webhooks.step();
    expect(receiver.received.map(({ body }) => [body.type, body.data['pausedReason']])).toEqual([
      ['batch.paused', 'too many failed'],
    ]);
  });

  it('goes nowhere but to listed origins: 400 names the field, and nothing is started', async () => {
    const { projectId } = await insertProject(path.sql, 1);
    const refuse = async (webhook: unknown) => {
      const reply = await path.server.call(`/api/projects/${projectId}/batches`, {
        method: 'POST',
        json: { all: true, webhook },
      });
      return [reply.status, ((await reply.json()) as ErrorBody).message] as const;
    };
    const elsewhere = receiver.origin.replace('127.0.0.1', 'localhost');
    const [status, message] = await refuse(`${elsewhere}/x`);
    expect(status).toBe(400);
    expect(message).toMatch(/^webhook is "http:\/\/localhost.*expected a path of http:\/\/127\.0\.0\.1/);
    for (const wrong of ['', 7, null, 'ftp://x', 'x'.repeat(3000)]) {
      const [code, text] = await refuse(wrong);
      expect([code, text.includes('webhook')]).toEqual([400, true]);
    }
    expect(await path.sql`select 1 from batches where project_id = ${projectId}`).toHaveLength(0);
  });

  it('is nothing to an origin that was taken off the list, whatever stands in the outbox; the audit says so', async () => {
    const batch = await newBatch(`${receiver.origin}/x`);
    await path.post(`/api/batches/${batch.id}/cancel`);
    const { webhooks, counts, lines } = sender({
      config: { ...path.server.app.config, webhookOrigins: ['https://other.example.org'] },
    });
    await webhooks.step();
    expect([receiver.received, await waiting(), (await counts()).givenUp]).toEqual([[], [], 1]);
    expect(lines[0]).toMatch(/^warn webhook .* was given up after 1 attempts: .* is not in WEBHOOK_ORIGINS$/);
    const rows =
      await path.sql`select action, target_type, target_id, detail from audit where target_id = ${batch.id} and action = 'webhook given up'`;
    expect(rows).toMatchObject([
      { target_type: 'batches', detail: { type: 'batch.cancelled', origin: receiver.origin } },
    ]);
  });
});

describe('an alert', () => {
  const alerts = [
    {
      status: 'firing',
      labels: { alertname: 'SegbenchNoProgress', severity: 'page' },
      annotations: { summary: 'nothing was finished for 5 minutes' },
      startsAt: '2026-03-02T10:00:00.000Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus/graph',
      fingerprint: 'c0ffee',
    },
  ];
  /** As Alertmanager 0.28 writes it. */
  const group = {
    receiver: 'segbench',
    status: 'firing',
    alerts,
    groupLabels: { alertname: 'SegbenchNoProgress' },
    commonLabels: { alertname: 'SegbenchNoProgress', severity: 'page' },
    commonAnnotations: { summary: 'nothing was finished for 5 minutes' },
    externalURL: 'http://alertmanager',
    version: '4',
    groupKey: '{}:{alertname="SegbenchNoProgress"}',
    truncatedAlerts: 0,
  };

  it('goes out signed as Alertmanager sent it, and is refused where there is nobody to tell', async () => {
    const post = (app: TestApp) => app.call('/api/alerts', { method: 'POST', json: group });
    expect((await post(path.server)).status).toBe(409);
    const beside = await startTestApp(
      { WEBHOOK_ORIGINS: receiver.origin, WEBHOOK_URL: `${receiver.origin}/alerts`, WEBHOOK_SECRET: SECRET },
      { beside: path.server },
    );
    const reply = await post(beside);
    await beside.close();
    expect(reply.status).toBe(202);
    const { id } = (await reply.json()) as { id: string };
    await sender().webhooks.step();
    expect(receiver.received).toMatchObject([
      { id, path: '/alerts', problem: null, body: { type: 'alert.firing', data: group } },
    ]);
  });
});

describe('a receiver that does not take it', () => {
  const cancelled = async (url: string) => path.post(`/api/batches/${(await newBatch(url)).id}/cancel`);

  it.each([
    ['500', (reply: ServerResponse) => void reply.writeHead(500).end('no'), 'answered with 500'],
    ['no answer', () => {}, 'no answer within 300 ms'],
    ['a broken line', (reply: ServerResponse) => void reply.destroy(), 'fetch failed'],
    [
      'a redirect, which is not followed',
      (reply: ServerResponse) => void reply.writeHead(302, { location: '/elsewhere' }).end(),
      'answered with 302',
    ],
  ])('by %s is asked again later, with the same id and a new time', async (_, answer, why) => {
    receiver.answerWith(answer);
    await cancelled(`${receiver.origin}/x`);
    const { webhooks, errors, counts } = sender();
    await webhooks.step();
    expect(receiver.received.map((one) => one.path)).toEqual(['/x']);
    expect(errors).toEqual([expect.stringContaining(why)]);
    const [row] = await waiting();
    expect(row).toMatchObject({ attempts: 1 });
    expect(row!.dueMs).toBeGreaterThan(1_000);
    expect(await webhooks.step()).toBe(false);
    receiver.answerWith((reply) => reply.end());
    await dueNow();
    await webhooks.step();
    expect(receiver.received.map(({ id, problem }) => [id, problem])).toEqual([
      [row!.id, null],
      [row!.id, null],
    ]);
    expect([await waiting(), await counts()]).toEqual([[], { sent: 1, failed: 1, givenUp: 0 }]);
  });

  it('says when to come back, and is asked no sooner', async () => {
    receiver.answerWith((reply) => reply.writeHead(503, { 'retry-after': '120' }).end());
    await cancelled(`${receiver.origin}/x`);
    await sender().webhooks.step();
    expect((await waiting())[0]!.dueMs).toBeGreaterThan(100_000);
  });

  it('is given up when it is gone, or after WEBHOOK_KEEP_MS', async () => {
    receiver.answerWith((reply) => reply.writeHead(410).end());
    await cancelled(`${receiver.origin}/gone`);
    const { webhooks, counts } = sender();
    await webhooks.step();
    receiver.answerWith((reply) => reply.writeHead(500).end());
    await cancelled(`${receiver.origin}/late`);
    await path.sql`update webhook_outbox set created_at = created_at - interval '3 days', attempts = 40`;
    await webhooks.step();
    expect([await waiting(), await counts()]).toEqual([[], { sent: 0, failed: 1, givenUp: 2 }]);
  });

  it('holds up nobody else: some of its messages are tried at a time, others go on', async () => {
    receiver.answerWith((reply, nth) => {
      if (receiver.received[nth - 1]!.path !== '/hangs') reply.end();
    });
    for (let index = 0; index < 6; index++) await cancelled(`${receiver.origin}/hangs`);
    await cancelled(`${receiver.origin}/works`);
    await sender().webhooks.step();
    const paths = receiver.received.map((one) => one.path);
    expect(paths.filter((one) => one === '/hangs')).toHaveLength(4);
    expect(paths).toContain('/works');
  });
});

describe('a relay', () => {
  it('that is killed while a receiver thinks is followed by one that tells it again, under the same id', async () => {
    const { config } = path.server.app;
    let heard = 0;
    receiver.answerWith(() => void heard++);
    const batch = await newBatch(`${receiver.origin}/x`);
    await path.post(`/api/batches/${batch.id}/cancel`);
    const process = await startRole({
      role: 'relay',
      env: {
        DATABASE_URL: config.databaseUrl,
        QUEUE_REDIS_URL: config.queueRedisUrl,
        CACHE_REDIS_URL: config.cacheRedisUrl,
        QUEUE_PREFIX: config.queuePrefix,
        DATA_DIR: config.dataDir,
        WEBHOOK_ORIGINS: receiver.origin,
        WEBHOOK_SECRET: SECRET,
        WEBHOOK_TIMEOUT_MS: '60000',
      },
      log: () => {},
      onGroup: () => {},
    });
    await until(() => heard === 1);
    globalThis.process.kill(process.pid, 'SIGKILL');
    await process.exited;
    receiver.answerWith((reply) => reply.end());
    await path.relay();
    await until(async () => (await waiting()).length === 0);
    expect(receiver.received.map(({ id, problem }) => [id, problem])).toEqual([
      [receiver.received[0]!.id, null],
      [receiver.received[0]!.id, null],
    ]);
  });

  it('tells of a batch that a worker ended, and of one that was known before, each once', async () => {
    await path.relay();
    await path.worker(fakeBackend().backend);
    const { projectId } = await insertProject(path.sql, 3);
    const webhook = `${receiver.origin}/end`;
    const batch = await path.start(projectId, { all: true, webhook });
    await path.ended(batch.id);
    const again = await path.start(projectId, { all: true, webhook });
    expect(again.status).toBe('completed');
    await until(() => receiver.received.length >= 2);
    await until(async () => (await waiting()).length === 0);
    expect(receiver.received.map(({ body }) => [body.type, body.data['batchId'], body.data['counts']])).toEqual(
      [batch, again].map(({ id }) => [
        'batch.completed',
        id,
        { queued: 0, processing: 0, completed: 3, failed: 0, cancelled: 0 },
      ]),
    );
  });
});
