import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sql } from '../../src/database/client.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import { noteMessage } from '../../src/webhooks/note.ts';
import { createFixture, until, type Fixture } from '../batches/fixture.ts';
import { SECRET, startReceiver, type Receiver } from './receiver.ts';
import { createSender, dueNow, waitingIn } from './sender.ts';

const OTHER_TENANT = '00000000-0000-7000-8000-0000000000ff';
let receiver: Receiver;
let fixture: Fixture;
let sql: Sql;
beforeAll(async () => {
  receiver = await startReceiver();
  fixture = await createFixture({
    WEBHOOK_ORIGINS: receiver.origin,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_TIMEOUT_MS: '300',
  });
  sql = fixture.sql;
});
afterAll(async () => {
  await fixture?.close();
  await receiver?.close();
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.answerWith((reply) => reply.end());
  await sql`delete from webhook_outbox`;
});

const waiting = () => waitingIn(sql);
const sender = (change: Parameters<typeof createSender>[2] = {}) => createSender(sql, fixture.config, change);
/** A message of a tenant, due at once. */
const noteFor = (tenantId: string, url: string) =>
  noteMessage(sql, { url, type: 'batch.completed', data: {} }, { tenantId, type: 'batches', id: null });

describe('a receiver that does not take it', () => {
  it.each([
    ['500', (reply: ServerResponse) => void reply.writeHead(500).end('no'), 'answered with 500'],
    ['no answer', () => {}, 'no answer within 300 ms'],
    ['a broken line', (reply: ServerResponse) => void reply.destroy(), 'socket hang up'],
    [
      'a redirect, which is not followed',
      (reply: ServerResponse) => void reply.writeHead(302, { location: '/elsewhere' }).end(),
      'answered with 302',
    ],
  ])('by %s is asked again later, with the same id and a new time', async (_, answer, why) => {
    receiver.answerWith(answer);
    await noteFor(FIRST_TENANT, `${receiver.origin}/x`);
    const { send, lines, counts } = sender();
    await send();
    expect(receiver.received.map((one) => one.path)).toEqual(['/x']);
    expect(lines).toEqual([`warn webhooks to ${receiver.origin} are tried again later: ${why}`]);
    const [row] = await waiting();
    expect(row).toMatchObject({ attempts: 1 });
    expect(row!.dueMs).toBeGreaterThan(1_000);
    await send();
    expect(receiver.received).toHaveLength(1);
    receiver.answerWith((reply) => reply.end());
    await dueNow(sql);
    await send();
    expect(receiver.received.map(({ id, problem }) => [id, problem])).toEqual([
      [row!.id, null],
      [row!.id, null],
    ]);
    expect([await waiting(), await counts()]).toEqual([[], { sent: 1, failed: 1, givenUp: 0 }]);
    expect(lines[1]).toBe(`warn webhooks to ${receiver.origin} are taken again`);
  });

  it('says when to come back, and is asked no sooner', async () => {
    receiver.answerWith((reply) => reply.writeHead(503, { 'retry-after': '120' }).end());
    await noteFor(FIRST_TENANT, `${receiver.origin}/x`);
    await sender().send();
    expect((await waiting())[0]!.dueMs).toBeGreaterThan(100_000);
  });

  it('is given up when it is gone, or after WEBHOOK_KEEP_MS', async () => {
    receiver.answerWith((reply) => reply.writeHead(410).end());
    await noteFor(FIRST_TENANT, `${receiver.origin}/gone`);
    const { send, counts } = sender();
    await send();
    receiver.answerWith((reply) => reply.writeHead(500).end());
    await noteFor(FIRST_TENANT, `${receiver.origin}/late`);
    await sql`update webhook_outbox set created_at = created_at - interval '3 days', attempts = 40`;
    await send();
    expect([await waiting(), await counts()]).toEqual([[], { sent: 0, failed: 0, givenUp: 2 }]);
  });

  it('is tried a last time when WEBHOOK_KEEP_MS is over, not left out before', async () => {
    receiver.answerWith((reply) => reply.writeHead(503, { 'retry-after': '3600' }).end());
    await noteFor(FIRST_TENANT, `${receiver.origin}/late`);
    await sql`update webhook_outbox set created_at = created_at - interval '3 days' + interval '60 s'`;
    await sender().send();
    const [row] = await waiting();
    expect(row).toMatchObject({ attempts: 1 });
    expect(row!.dueMs).toBeGreaterThan(20_000);
    expect(row!.dueMs).toBeLessThanOrEqual(60_000);
  });

  it('holds up nobody: other tenants at the same origin, other origins, and what comes later go on while it hangs', async () => {
    const other = await startReceiver();
    const webhookOrigins = [receiver.origin, other.origin];
    const config = { ...fixture.config, webhookOrigins, webhookTimeoutMs: 60_000 };
    const ending = new AbortController();
    receiver.answerWith((reply, nth) => {
      if (!receiver.received[nth - 1]!.path.startsWith('/hangs')) reply.end();
    });
    // another address each time: it is the origin that counts
    for (let index = 0; index < 6; index++) await noteFor(FIRST_TENANT, `${receiver.origin}/hangs?${index}`);
    await noteFor(OTHER_TENANT, `${receiver.origin}/works`);
    const { webhooks } = sender({ config });
    await webhooks.step(ending.signal);
    await until(() => receiver.received.length === 4);
    expect(receiver.received.map((one) => one.path).filter((one) => one.startsWith('/hangs'))).toHaveLength(3);
    expect(receiver.received.map((one) => one.path)).toContain('/works');
    for (const url of [`${other.origin}/1`, `${other.origin}/2`]) {
      await noteFor(FIRST_TENANT, url);
      await webhooks.step(ending.signal);
      await until(() => other.received.some((one) => url.endsWith(one.path)));
    }
    // a process that ends waits for nobody, and counts it as nobody's fault
    ending.abort();
    await webhooks.settled();
    expect((await waiting()).map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0, 0, 0]);
    await other.close();
  });

  it('is one line in the log however many messages wait for it, and one more when it is back', async () => {
    receiver.answerWith((reply) => reply.writeHead(500).end());
    for (let index = 0; index < 9; index++) await noteFor(FIRST_TENANT, `${receiver.origin}/${index}`);
    const { send, lines, counts } = sender();
    for (let round = 0; round < 3; round++) await send();
    receiver.answerWith((reply) => reply.end());
    await dueNow(sql);
    for (let round = 0; round < 3; round++) await send();
    expect(await counts()).toEqual({ sent: 9, failed: 9, givenUp: 0 });
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      `warn webhooks to ${receiver.origin} are tried again later: answered with 500`,
      `warn webhooks to ${receiver.origin} are taken again`,
    ]);
  });

  it('fills no disk: of each tenant the newest wait, the rest is given up and said', async () => {
    for (let index = 0; index < 7; index++) await noteFor(OTHER_TENANT, `${receiver.origin}/${index}`);
    await noteFor(FIRST_TENANT, `${receiver.origin}/mine`);
    const { send, lines, counts } = sender({ waitingMax: 5 });
    for (let round = 0; round < 3; round++) await send();
    expect(receiver.received.map((one) => one.path).toSorted()).toEqual(['/2', '/3', '/4', '/5', '/6', '/mine']);
    expect(await counts()).toEqual({ sent: 6, failed: 0, givenUp: 2 });
    expect(lines[0]).toBe(`warn 2 webhooks of tenant ${OTHER_TENANT} were given up: more than 5 of this tenant waited`);
    const rows = await sql`select tenant_id as tenant, detail from audit where action = 'webhooks given up'`;
    expect(rows).toMatchObject([{ tenant: OTHER_TENANT, detail: { count: 2 } }]);
  });
});
