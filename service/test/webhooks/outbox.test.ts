import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Batch } from '#contract/batches.ts';
import { startRole } from '../../src/role-process.ts';
import { setStanding } from '../../src/webhooks/outbox.ts';
import { fakeBackend, insertProject, until } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { SECRET, startReceiver, type Receiver } from './receiver.ts';
import { createSender, dueNow, waitingIn } from './sender.ts';

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

const waiting = () => waitingIn(path.sql);
/** The sender, driven by hand. */
const sender = (change: Parameters<typeof createSender>[2] = {}) =>
  createSender(path.sql, path.server.app.config, change);
/** A batch that nobody works on, told to `url`. */
async function newBatch(url?: string): Promise<Batch> {
  const { projectId } = await insertProject(path.sql, 2);
  return path.start(projectId, { all: true, ...(url === undefined ? {} : { webhook: url }) });
}

describe('what is told', () => {
  it('is each end of a batch once, to its own target and to the operator’s, as the batch was then', async () => {
    const secret = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
    const operator = await startReceiver(undefined, secret);
    const webhookUrl = `${operator.origin}/operator`;
    await setStanding(path.sql, webhookUrl);
    const own = `${receiver.origin}/own?x=1`;
    const [told, silent] = [await newBatch(own), await newBatch()];
    expect(await waiting()).toEqual([]);
    await path.post(`/api/batches/${told.id}/cancel`);
    await path.post(`/api/batches/${told.id}/cancel`);
    await path.post(`/api/batches/${silent.id}/cancel`);
    // its origin is not listed: no batch can name it
    const { webhookSecret, ...rest } = path.server.app.config;
    const keys = [...webhookSecret, { origin: operator.origin, secret }];
    const { send, counts } = sender({ config: { ...rest, webhookUrl, webhookSecret: keys } });
    await send();
    const heard = [...receiver.received, ...operator.received];
    expect(heard.map((one) => `${one.path} ${String(one.body.data['batchId'])}`).toSorted()).toEqual(
      [`/operator ${told.id}`, `/operator ${silent.id}`, `/own?x=1 ${told.id}`].toSorted(),
    );
    expect(heard.map(({ problem }) => problem)).toEqual([null, null, null]);
    expect(new Set(heard.map(({ id }) => id)).size).toBe(3);
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
    expect([await waiting(), await counts()]).toEqual([[], { sent: 3, failed: 0, givenUp: 0 }]);
    await operator.close();
  });

  it('is a batch that paused itself, and none that a person paused', async () => {
    const batch = await newBatch(`${receiver.origin}/x`);
    await path.post(`/api/batches/${batch.id}/pause`);
    await path.post(`/api/batches/${batch.id}/resume`);
    expect(await waiting()).toEqual([]);
    await path.sql`update batches set status = 'paused', paused_reason = 'too many failed' where id = ${batch.id}`;
    await sender().send();
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
    const { send, counts, lines } = sender({
      config: { ...path.server.app.config, webhookOrigins: ['https://other.example.org'] },
    });
    await send();
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
    await sender().send();
    expect(receiver.received).toMatchObject([
      { id, path: '/alerts', problem: null, body: { type: 'alert.firing', data: group } },
    ]);
  });
});

describe('an address', () => {
  it('tells nobody who reads the log or the audit what its address holds', async () => {
    receiver.answerWith((reply) => reply.writeHead(500).end());
    const { id } = await newBatch(`${receiver.origin}/services/KEY-IN-PATH?token=KEY-IN-QUERY`);
    await path.post(`/api/batches/${id}/cancel`);
    const { send, lines } = sender();
    await send();
    receiver.answerWith((reply) => reply.writeHead(410).end());
    await dueNow(path.sql);
    await send();
    const audit = await path.sql`select * from audit where target_id = ${id}`;
    expect([lines.length, audit.map(({ action }) => action as string).toSorted()]).toEqual([
      2,
      ['POST /api/batches/:id/cancel', 'POST /api/projects/:id/batches', 'webhook given up'],
    ]);
    expect(JSON.stringify([lines, audit])).not.toMatch(/KEY-IN|whsec_|services/);
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
