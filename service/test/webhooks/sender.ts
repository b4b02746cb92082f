import type { Config } from '../../src/config.ts';
import type { Sql } from '../../src/database/client.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createWebhooks, type WebhookDeps } from '../../src/webhooks/outbox.ts';

/** What sends webhooks, driven by hand and without chance; keeps what it says. */
export function createSender(sql: Sql, config: Config, change: Partial<WebhookDeps> = {}) {
  const metrics = createMetrics('relay');
  const lines: string[] = [];
  const webhooks = createWebhooks({
    sql,
    config,
    metrics,
    log: (level, message) => lines.push(`${level} ${message}`),
    onError: (error) => lines.push(`error ${String(error)}`),
    random: () => 0,
    ...change,
  });
  return {
    webhooks,
    lines,
    /** One attempt for all that is due and has room. */
    send: async () => {
      await webhooks.step();
      await webhooks.settled();
    },
    counts: async () => {
      const text = await metrics.registry.metrics();
      const of = (outcome: string) =>
        Number(new RegExp(`segbench_webhooks_total\\{outcome="${outcome}"[^}]*\\} (\\d+)`).exec(text)?.[1]);
      return { sent: of('sent'), failed: of('failed'), givenUp: of('given-up') };
    },
  };
}

export const waitingIn = (sql: Sql) =>
  sql<{ id: string; attempts: number; dueMs: number }[]>`
    select id, attempts, extract(epoch from due_at - clock_timestamp())::float8 * 1000 as "dueMs" from webhook_outbox order by created_at`;
export const dueNow = (sql: Sql) => sql`update webhook_outbox set due_at = clock_timestamp()`;
