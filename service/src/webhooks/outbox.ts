import { startLoop, type Loop } from '../batches/loop.ts';
import type { Sql } from '../database/client.ts';
import type { Metrics } from '../metrics.ts';
import type { Log } from '../roles/role.ts';
import { createWebhookMetrics } from './metrics.ts';
import { sendWebhook, type Message, type Sent } from './send.ts';
import type { WebhookConfig } from './target.ts';

const POLL_MS = 1_000;
/** Where nobody may be told. */
const IDLE_POLL_MS = 60_000;
/** How long a delivery that has ended waits for others before the next ones are chosen: the choice reads all that is due. */
const GATHER_MS = 100;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
/** Under way at a time to one origin. There is no limit for all of them: the operator's list is one, and none waits for another. */
const MOST_EACH = 4;
/** Messages of one tenant that may wait. */
const WAITING_MAX = 10_000;

interface Due extends Message {
  type: string;
  tenantId: string;
  targetType: string;
  targetId: string | null;
  attempts: number;
  ageMs: number;
}
export interface WebhookDeps {
  sql: Sql;
  config: WebhookConfig;
  metrics: Metrics;
  log: Log;
  onError: (error: unknown) => void;
  random?: () => number;
  send?: typeof sendWebhook;
  waitingMax?: number;
}

/** Twice as long each time, of which a random half: messages that failed together are not tried again together. */
export function retryMs(attempts: number, random: () => number): number {
  const most = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20));
  return most / 2 + (random() * most) / 2;
}

/** The target that hears of every batch; decided by the relay that leads. */
export async function setStanding(sql: Sql, url: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`delete from webhook_standing where url <> ${url}`;
    if (url !== '') await tx`insert into webhook_standing (url) values (${url}) on conflict do nothing`;
  });
}

const originOf = (message: Pick<Message, 'url'>) => new URL(message.url).origin;

/**
 * Tells others what `webhook_outbox` says, in the background: nothing in the service waits for it or fails by it. A message stays
 * in PostgreSQL until it was taken, so a process that dies between answer and deletion sends it again, under the same id.
 */
export function createWebhooks(deps: WebhookDeps) {
  const { sql, config, log, onError, random = Math.random, send = sendWebhook, waitingMax = WAITING_MAX } = deps;
  const metrics = createWebhookMetrics(deps.metrics);
  /** Deliveries under way, by the message's id. */
  const away = new Map<string, { origin: string; done: Promise<void> }>();
  /** What is wrong with an origin: said once, not once a message. */
  const troubles = new Map<string, string>();
  let wake = (): void => {};

  async function giveUp(message: Due, why: string): Promise<void> {
    const { id, type, tenantId, targetType, targetId, attempts } = message;
    const origin = originOf(message);
    await sql.begin(async (tx) => {
      await tx`delete from webhook_outbox where id = ${id}`;
      await tx`
        insert into audit (tenant_id, key_name, action, target_type, target_id, detail)
        values (${tenantId}, 'operator', 'webhook given up', ${targetType}, ${targetId},
          ${tx.json({ webhookId: id, type, origin, attempts: attempts + 1, why })})`;
    });
    metrics.count('given-up');
    log('warn', `webhook ${id} (${type}) to ${origin} was given up after ${attempts + 1} attempts: ${why}`);
  }
  async function putOff(message: Due, { why, afterMs }: Extract<Sent, { kind: 'failed' }>): Promise<void> {
    const origin = originOf(message);
    metrics.count('failed');
    log(troubles.get(origin) === why ? 'info' : 'warn', `webhooks to ${origin} are tried again later: ${why}`);
    troubles.set(origin, why);
    const waitMs = Math.max(retryMs(message.attempts, random), Math.min(afterMs ?? 0, LONGEST_RETRY_MS));
    // the last attempt is made when its time is over, not before
    const dueMs = Math.min(waitMs, config.webhookKeepMs - message.ageMs);
    await sql`
      update webhook_outbox set attempts = attempts + 1, due_at = clock_timestamp() + ${dueMs}::float8 * interval '1 ms'
      where id = ${message.id}`;
  }
  async function deliver(message: Due, signal: AbortSignal | undefined): Promise<void> {
    const result = await send(message, config, signal ? { signal } : {});
    const origin = originOf(message);
    if (result.kind === 'sent') {
      await sql`delete from webhook_outbox where id = ${message.id}`;
      metrics.count('sent');
      if (troubles.delete(origin)) log('warn', `webhooks to ${origin} are taken again`);
      return log('info', `webhook ${message.id} (${message.type}) was taken by ${origin}`);
    }
    // not its fault: this process ends
    if (signal?.aborted) return;
    if (result.kind === 'gone' || message.ageMs >= config.webhookKeepMs) return giveUp(message, result.why);
    return putOff(message, result);
  }

  /** The next ones of each origin: of every tenant in turn, so that one who has many waits for himself alone. */
  const readDue = () => sql<Due[]>`
    with waiting as (
      select id, tenant_id, due_at, split_part(url, '/', 1) || split_part(url, '/', 3) as origin from webhook_outbox
      where due_at <= clock_timestamp() and id <> all(${[...away.keys()]}::uuid[])
    ), in_turn as (
      select *, row_number() over (partition by origin, tenant_id order by due_at, id) as turn from waiting
    ), placed as (
      select id, turn, row_number() over (partition by origin order by turn, due_at, id) as place from in_turn
    )
    select id, url, type, body, attempts, tenant_id as "tenantId", target_type as "targetType", target_id as "targetId",
      extract(epoch from clock_timestamp() - created_at)::float8 * 1000 as "ageMs"
    from placed join webhook_outbox using (id) where place <= ${MOST_EACH} order by turn, due_at, id`;

  /** What a tenant has beyond his share, the oldest first: a receiver that is away must not fill the disk. */
  async function trim(): Promise<void> {
    const why = `more than ${waitingMax} of this tenant waited`;
    const rows = await sql<{ count: number; tenantId: string }[]>`
      with gone as (
        delete from webhook_outbox where id in (
          select id from (
            select id, row_number() over (partition by tenant_id order by created_at desc, id) as place from webhook_outbox
          ) ranked where place > ${waitingMax}
        ) returning tenant_id
      ), kept as (
        insert into audit (tenant_id, key_name, action, target_type, detail)
        select tenant_id, 'operator', 'webhooks given up', 'batches', jsonb_build_object('count', count(*), 'why', ${why}::text)
        from gone group by tenant_id
      )
      select count(*)::int as count, tenant_id as "tenantId" from gone group by tenant_id`;
    for (const { count, tenantId } of rows) {
      metrics.count('given-up', count);
      log('warn', `${count} webhooks of tenant ${tenantId} were given up: ${why}`);
    }
  }

  /** Begins what is due and has room, and waits for none of it. */
  async function step(signal?: AbortSignal): Promise<void> {
    const [row] = await sql<{ waiting: number; oldestMs: number | null }[]>`
      select count(*)::int as waiting, extract(epoch from clock_timestamp() - min(created_at))::float8 * 1000 as "oldestMs"
      from webhook_outbox`;
    metrics.stands(row?.waiting ?? 0, row?.oldestMs ?? 0);
    if (!row || row.waiting === 0) return;
    if (row.waiting > waitingMax) await trim();
    for (const message of await readDue()) {
      const origin = originOf(message);
      const lane = [...away.values()].filter((each) => each.origin === origin);
      if (lane.length >= MOST_EACH || signal?.aborted) continue;
      const done = deliver(message, signal)
        .catch(onError)
        .finally(() => {
          away.delete(message.id);
          wake();
        });
      away.set(message.id, { origin, done });
    }
  }
  const settled = async (): Promise<void> => void (await Promise.all([...away.values()].map(({ done }) => done)));

  return {
    step,
    /** Resolves when what was under way has ended. */
    settled,
    start(): Loop {
      const ending = new AbortController();
      const hasTargets = config.webhookUrl !== '' || config.webhookOrigins.length > 0;
      let told = false;
      const loop = startLoop({
        everyMs: POLL_MS,
        gatherMs: GATHER_MS,
        async step() {
          if (!told) await setStanding(sql, config.webhookUrl);
          told = true;
          await step(ending.signal);
          // what an earlier configuration left is given up, and that is all there is to do
          if (!hasTargets && away.size === 0) return IDLE_POLL_MS;
        },
        onError,
      });
      wake = () => loop.wake();
      return {
        wake,
        async stop() {
          ending.abort();
          await loop.stop();
          await settled();
          metrics.stands(0, 0);
        },
      };
    },
  };
}
