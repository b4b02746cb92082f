import { randomUUID } from 'node:crypto';
import type { Sql } from '../database/client.ts';

/**
 * Writes a message that the relay will deliver; those of batches are written by a trigger (migration 15).
 * @param target what it tells of, for the audit
 * @returns its id, `webhook-id`
 */
export async function noteMessage(
  sql: Sql,
  message: { url: string; type: string; data: object },
  target: { tenantId: string; type: string; id: string | null },
): Promise<string> {
  const id = randomUUID();
  const { url, type, data } = message;
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  await sql`
    insert into webhook_outbox (id, url, type, tenant_id, target_type, target_id, body)
    values (${id}, ${url}, ${type}, ${target.tenantId}, ${target.type}, ${target.id}, ${body})`;
  return id;
}
