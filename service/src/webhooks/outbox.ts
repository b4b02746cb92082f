import { Counter } from 'prom-client';
import { startLoop, type Loop } from '../batches/loop.ts';
import type { Sql } from '../database/client.ts';
import type { Metrics } from '../metrics.ts';
import type { Log } from '../roles/role.ts';
import { sendWebhook, type Message } from './send.ts';
import type { WebhookConfig } from './target.ts';

const POLL_MS = 1_000;
/** Where nobody may be told. */
const IDLE_POLL_MS = 60_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
/** Under way at a time, in all and to one address: one that does not answer holds up nobody else's. */
const MOST = 16;
const MOST_EACH = 4;

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

/**
 * Tells others what `webhook_outbox` says, in the background: nothing in the service waits for it or fails by it. A message stays
 * in PostgreSQL until it was taken, so a process that dies between answer and deletion sends it again, under the same id.
 */
export function createWebhooks(deps: WebhookDeps) {
  const { sql, config, metrics, log, onError, random = Math.random, send = sendWebhook } = deps;
  const counter = new Counter({
    name: 'segbench_webhooks_total',
    help: 'Attempts to deliver a webhook: sent, failed (and tried again later), given-up.',
    labelNames: ['outcome'] as const,
    registers: metrics.registers,
  });
  for (const outcome of ['sent', 'failed', 'given-up']) counter.inc({ outcome }, 0);
  let stands = { waiting: 0, oldestMs: 0 };
  metrics.gauge('segbench_webhooks_waiting', 'Webhooks that were not taken yet.', () => stands.waiting);
  metrics.gauge(
    'segbench_webhooks_oldest_age_seconds',
    'Age of the oldest webhook that was not taken yet.',
    () => stands.oldestMs / 1000,
  );

  async function giveUp(message: Due, why: string): Promise<void> {
    const { id, type, url, tenantId, targetType, targetId, attempts } = message;
    const { origin } = new URL(url);
    await sql.begin(async (tx) => {
      await tx`delete from webhook_outbox where id = ${id}`;
      await tx`
        insert into audit (tenant_id, key_name, action, target_type, target_id, detail)
        values (${tenantId}, 'operator', 'webhook given up', ${targetType}, ${targetId},
          ${tx.json({ webhookId: id, type, origin, attempts: attempts + 1, why })})`;
    });
    counter.inc({ outcome: 'given-up' });
    log('warn', `webhook ${id} (${type}) to ${origin} was given up after ${attempts + 1} attempts: ${why}`);
  }
  async function deliver(message: Due, signal: AbortSignal | undefined): Promise<void> {
    const result = await send(message, config, signal ? { signal } : {});
    if (result.kind === 'sent') {
      await sql`delete from webhook_outbox where id = ${message.id}`;
      counter.inc({ outcome: 'sent' });
      return log('info', `webhook ${message.id} (${message.type}) was taken by ${new URL(message.url).origin}`);
    }
    // not its fault: this process ends
    if (signal?.aborted) return;
    if (result.kind === 'gone') return giveUp(message, result.why);
    counter.inc({ outcome: 'failed' });
    const waitMs = Math.max(retryMs(message.attempts, random), Math.min(result.afterMs ?? 0, LONGEST_RETRY_MS));
    if (message.ageMs + waitMs > config.webhookKeepMs) return giveUp(message, result.why);
    await sql`
      update webhook_outbox set attempts = attempts + 1, due_at = clock_timestamp() + ${waitMs}::float8 * interval '1 ms'
      where id = ${message.id}`;
    onError(new Error(`to ${new URL(message.url).origin}: ${result.why}`));
  }

  /** @returns whether more may be due */
  async function step(signal?: AbortSignal): Promise<boolean> {
    const [row] = await sql<{ waiting: number; oldestMs: number | null }[]>`
      select count(*)::int as waiting, extract(epoch from clock_timestamp() - min(created_at))::float8 * 1000 as "oldestMs"
      from webhook_outbox`;
    stands = { waiting: row?.waiting ?? 0, oldestMs: row?.oldestMs ?? 0 };
    if (stands.waiting === 0) return false;
    const due = await sql<Due[]>`
      select id, url, type, body, attempts, tenant_id as "tenantId", target_type as "targetType", target_id as "targetId",
        extract(epoch from clock_timestamp() - created_at)::float8 * 1000 as "ageMs"
      from (
        select *, row_number() over (partition by url order by due_at, id) as place from webhook_outbox
        where due_at <= clock_timestamp()
      ) waiting where place <= ${MOST_EACH} order by due_at, id limit ${MOST}`;
    const ends = await Promise.allSettled(due.map((message) => deliver(message, signal)));
    for (const end of ends) if (end.status === 'rejected') onError(end.reason);
    stands.waiting -= ends.filter((end) => end.status === 'fulfilled').length;
    return due.length > 0;
  }

  return {
    step,
    start(): Loop {
      const ending = new AbortController();
      let told = false;
      const loop = startLoop({
        everyMs: POLL_MS,
        async step() {
          if (!told) await setStanding(sql, config.webhookUrl);
          told = true;
          const more = await step(ending.signal);
          // what an earlier configuration left is given up, and that is all there is to do
          return !more && config.webhookOrigins.length === 0 ? IDLE_POLL_MS : more;
        },
        onError,
      });
      return {
        wake: () => loop.wake(),
        stop() {
          ending.abort();
          stands = { waiting: 0, oldestMs: 0 };
          return loop.stop();
        },
      };
    },
  };
}
