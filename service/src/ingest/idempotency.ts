import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql, Transaction } from '../database/client.ts';
import { apiError } from '../errors.ts';

export interface StoredReply {
  statusCode: number;
  reply: unknown;
  /** Of the body that was answered so. */
  fingerprint: Buffer | null;
}

/** A request that has given no sign of life for this long belongs to a process that died. */
const ABANDONED_SECONDS = 10;
const SIGN_OF_LIFE_MS = 3_000;
const WAIT_MS = 30_000;
const POLL_MS = 100;
const KEPT_HOURS = 24;

/**
 * The same `Idempotency-Key` (of one API key, on one route) gets the same answer; a duplicate that comes while the first one runs
 * waits for it, and one with another body is refused. A request that failed is forgotten, so that it can be tried again.
 */
export function createIdempotency(sql: Sql, options: { waitMs?: number; signOfLifeMs?: number } = {}) {
  async function claim(keyId: string, route: string, key: string): Promise<StoredReply | null> {
    const deadline = Date.now() + (options.waitMs ?? WAIT_MS);
    for (;;) {
      const [mine] = await sql`
        insert into idempotency (key_id, route, key) values (${keyId}, ${route}, ${key})
        on conflict (key_id, route, key) do update set created_at = now()
          where idempotency.status_code is null and idempotency.created_at < now() - make_interval(secs => ${ABANDONED_SECONDS})
        returning key`;
      if (mine) return null;
      const [row] = await sql<{ statusCode: number | null; reply: unknown; fingerprint: Buffer | null }[]>`
        select status_code as "statusCode", reply, fingerprint from idempotency
        where key_id = ${keyId} and route = ${route} and key = ${key}`;
      if (row && row.statusCode !== null) {
        const { statusCode, reply, fingerprint } = row;
        return { statusCode, reply, fingerprint };
      }
      if (row && Date.now() > deadline)
        throw apiError('IDEMPOTENCY_IN_USE', `a request with Idempotency-Key ${key} is still running; try again later`);
      if (row) await sleep(POLL_MS);
    }
  }

  return {
    /**
     * Runs `work` once for the key; `replayed` tells whether this answer is the stored one. `work` must call `save` in the
     * transaction of its change: then there is no moment in which the change is true and its answer forgotten.
     * @param fingerprint of this request's body; asked for only where there is an answer to compare with
     * @throws ApiError IDEMPOTENCY_MISMATCH
     */
    async once(
      at: { keyId: string; route: string; key: string },
      fingerprint: () => Promise<Buffer>,
      work: (
        save: (tx: Transaction, answer: StoredReply) => Promise<void>,
      ) => Promise<Omit<StoredReply, 'fingerprint'>>,
    ): Promise<Omit<StoredReply, 'fingerprint'> & { replayed: boolean }> {
      const known = await claim(at.keyId, at.route, at.key);
      if (known) {
        const own = await fingerprint();
        if (known.fingerprint !== null && !known.fingerprint.equals(own))
          throw apiError(
            'IDEMPOTENCY_MISMATCH',
            `Idempotency-Key is ${JSON.stringify(at.key)}, which was used with another body: expected the same body, or another key`,
          );
        return { statusCode: known.statusCode, reply: known.reply, replayed: true };
      }
      const where = sql`key_id = ${at.keyId} and route = ${at.route} and key = ${at.key}`;
      const signs = setInterval(() => {
        sql`update idempotency set created_at = now() where ${where} and status_code is null`.catch(() => {});
      }, options.signOfLifeMs ?? SIGN_OF_LIFE_MS);
      try {
        const answer = await work(async (tx, { statusCode, reply, fingerprint: own }) => {
          // who was thought dead, and whose key was given to another, must not make its own change beside the other's
          const [mine] = await tx`
            update idempotency set status_code = ${statusCode}, reply = ${JSON.stringify(reply)}::text::json, fingerprint = ${own}
            where ${where} and status_code is null returning key`;
          if (!mine) throw apiError('IDEMPOTENCY_IN_USE', `another request with Idempotency-Key ${at.key} was faster`);
        });
        await sql`delete from idempotency where created_at < now() - make_interval(hours => ${KEPT_HOURS})`;
        return { ...answer, replayed: false };
      } catch (error) {
        await sql`delete from idempotency where ${where} and status_code is null`.catch(() => {});
        throw error;
      } finally {
        clearInterval(signs);
      }
    },
  };
}
