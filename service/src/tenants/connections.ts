import type { Config } from '../config.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { checkWall, NO_WALL, serviceRole } from '../database/wall.ts';
import { CONNECTIONS_HELP, type Metrics } from '../metrics.ts';
import { FIRST_TENANT } from './first.ts';

/** Key lookups are remembered, and an export is claimed now and then. */
const SERVICE_POOL = 2;
const IDLE_SECONDS = 30;

export interface Connections {
  /** For what belongs to no tenant; sees all rows of the few tables that it may read. */
  service: Sql;
  /** Sees the rows of this tenant. */
  of: (tenantId: string) => Sql;
  /** Whether PostgreSQL keeps tenants apart as well; without it there is only one. */
  walled: boolean;
  end(): Promise<void>;
}
type Settings = Pick<Config, 'databaseUrl' | 'databasePool' | 'databaseRole' | 'tenantPool'>;

/**
 * The connections of an API process: a pool for each tenant that asks, whose connections are that tenant's from their start to
 * their end. No query and no round trip is spent on saying whose they are, and none can go back to a pool as somebody else's.
 */
export function createConnections(config: Settings, metrics?: Metrics): Connections {
  const { databaseUrl: url, databaseRole: role } = config;
  const shared = { name: 'segbench-api', ...(metrics && { metrics }) };
  if (role === NO_WALL) {
    const all = createDatabase(url, { ...shared, max: config.databasePool });
    metrics?.gauge('segbench_db_connections_limit', CONNECTIONS_HELP, () => config.databasePool);
    return { service: all, of: () => all, walled: false, end: () => all.end({ timeout: 5 }) };
  }
  const service = createDatabase(url, { ...shared, max: SERVICE_POOL, role: serviceRole(role) });
  const pools = new Map<string, Sql>();
  function open(tenant: string): Sql {
    const own =
      tenant === FIRST_TENANT ? { max: config.databasePool } : { max: config.tenantPool, idleSeconds: IDLE_SECONDS };
    const pool = createDatabase(url, { ...shared, ...own, role, tenant });
    pools.set(tenant, pool);
    return pool;
  }
  metrics?.gauge(
    'segbench_db_connections_limit',
    CONNECTIONS_HELP,
    () => SERVICE_POOL + config.databasePool + Math.max(0, pools.size - 1) * config.tenantPool,
  );
  return {
    service,
    of: (tenantId) => pools.get(tenantId) ?? open(tenantId),
    walled: true,
    async end() {
      await Promise.all([service, ...pools.values()].map((pool) => pool.end({ timeout: 5 })));
    },
  };
}

/**
 * Refuses to serve behind a wall that has a gap, and more than one tenant without one.
 * @returns what an operator must hear; null where all is well
 */
export async function checkConnections({ service, of, walled }: Connections, role: string): Promise<string | null> {
  if (walled) {
    await checkWall(of(FIRST_TENANT), role);
    return null;
  }
  const [others] = await service<
    { count: number }[]
  >`select count(*) as count from tenants where id <> ${FIRST_TENANT}`;
  if (others!.count > 0)
    throw new Error(
      `DATABASE_ROLE is "${NO_WALL}" and the database has ${others!.count + 1} tenants: without row-level security only one is served`,
    );
  return `DATABASE_ROLE is "${NO_WALL}": the API owns the tables it reads, PostgreSQL keeps nobody apart, and no second tenant can be made`;
}
