import postgres from 'postgres';
import type { Metrics } from '../metrics.ts';
import { fencedBegin } from './fence.ts';
import { tellingSockets } from './socket.ts';

/** postgres.js; `int8` columns and counts come back as numbers (nothing here nears 2^53). Column names stay as in SQL. */
export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

/** What this module touches of postgres.js's own query objects (`postgres/src/query.js` of 3.4.9). */
interface InnerQuery {
  handler: (query: unknown) => unknown;
  resolve: (value: unknown) => unknown;
  reject: (error: unknown) => unknown;
  active: unknown;
  strings: readonly string[];
  statement: { string?: string } | null;
}

const isQuery = (value: unknown): value is InnerQuery =>
  value instanceof Promise && 'handler' in value && 'strings' in value && 'resolve' in value;

/** Times the query from the moment it is first in line on its connection (postgres.js sets `active` then), and the wait before. */
function timed<T>(value: T, metrics: Metrics): T {
  if (!isQuery(value)) return value;
  const { handler, resolve, reject } = value;
  let queuedAt = 0;
  let sentAt = 0;
  let active: unknown = false;
  const finish = (rows: unknown, failed: boolean) => {
    const now = performance.now();
    if (sentAt > 0) metrics.pool.running--;
    else metrics.pool.waiting--;
    const started = sentAt || now;
    const count = Array.isArray(rows) ? rows.length : 0;
    metrics.query(value.statement?.string ?? value.strings.join('?'), now - started, started - queuedAt, count, failed);
  };
  Object.defineProperty(value, 'active', {
    get: () => active,
    set: (next: unknown) => {
      active = next;
      if (next !== true || sentAt > 0) return;
      sentAt = performance.now();
      metrics.pool.waiting--;
      metrics.pool.running++;
    },
  });
  value.handler = (query) => {
    queuedAt = performance.now();
    metrics.pool.waiting++;
    return handler(query);
  };
  value.resolve = (rows) => {
    finish(rows, false);
    return resolve(rows);
  };
  value.reject = (error) => {
    finish(null, true);
    return reject(error);
  };
  return value;
}

/** The methods that hand a scoped `sql` to a callback: it must be wrapped as well. */
const SCOPED = new Set<string | symbol>(['begin', 'savepoint']);

function observed<T extends object>(sql: T, metrics: Metrics): T {
  return new Proxy(sql, {
    apply: (target, self, args) => timed(Reflect.apply(target as (...list: unknown[]) => unknown, self, args), metrics),
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      if (key === 'unsafe') return (...args: unknown[]) => timed(Reflect.apply(member, target, args), metrics);
      if (key === 'reserve') return async () => observed((await Reflect.apply(member, target, [])) as object, metrics);
      if (!SCOPED.has(key)) return member;
      return (...args: unknown[]) =>
        Reflect.apply(
          member,
          target,
          args.map((arg) =>
            typeof arg === 'function' ? (scoped: object) => Reflect.apply(arg, null, [observed(scoped, metrics)]) : arg,
          ),
        );
    },
  });
}

const FIRST_RECONNECT_SECONDS = 0.05;
const LAST_RECONNECT_SECONDS = 1;
/**
 * Before a lost connection is made again. postgres.js counts the losses of all connections of a pool together and waits up to 20 s
 * from the seventh on: one cut of a pool of ten would be an outage of that length.
 */
export const reconnectSeconds = (losses: number): number =>
  (0.5 + Math.random() / 2) * Math.min(LAST_RECONNECT_SECONDS, FIRST_RECONNECT_SECONDS * 2 ** Math.min(losses, 10));

/** For roles whose transactions lock batches: what a stopped one held is free before its lease has run out. */
export const idleInTransactionMs = ({ leaseMs }: { leaseMs: number }): number =>
  Math.max(2_000, Math.round(leaseMs / 2));

export interface DatabaseOptions {
  max: number;
  metrics?: Metrics;
  name?: string;
  /** Who the connections are, instead of the URL's user, who must be a member of it. */
  role?: string;
  /** Whose rows the connections see; see `wall.ts`. */
  tenant?: string;
  /** A connection that nobody used for this long is closed. */
  idleSeconds?: number;
  /**
   * PostgreSQL ends a connection whose transaction waits this long for its next statement: the locks of a process that is
   * stopped, or gone without a word, would hold everybody else up for as long.
   */
  idleInTransactionMs?: number;
}

/**
 * A pool of connections. With `metrics`, each query's duration lands in `segbench_db_query_duration_seconds`, the wait for a
 * connection in `segbench_db_pool_wait_seconds`, and slow ones in the slow list.
 */
export function createDatabase(url: string, options: DatabaseOptions): Sql {
  const { role, tenant, idleSeconds, idleInTransactionMs } = options;
  const sql = postgres(url, {
    max: options.max,
    connect_timeout: 10,
    ...tellingSockets(reconnectSeconds),
    onnotice: () => {},
    ...(idleSeconds !== undefined && { idle_timeout: idleSeconds }),
    // parameters of the connection's start: they cost no query, and no connection is ever another tenant's
    connection: {
      application_name: options.name ?? 'segbench',
      ...(idleInTransactionMs !== undefined && { idle_in_transaction_session_timeout: idleInTransactionMs }),
      ...(role !== undefined && { role }),
      ...(tenant !== undefined && { 'segbench.tenant': tenant }),
    },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  }) as unknown as Sql;
  const fenced = new Proxy(sql, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      return key === 'begin' ? fencedBegin(member as (...args: unknown[]) => Promise<unknown>) : member;
    },
  });
  return options.metrics ? observed(fenced, options.metrics) : fenced;
}
