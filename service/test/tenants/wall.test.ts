import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { checkWall, DEFAULT_ROLE, GRANTS, serviceRole } from '../../src/database/wall.ts';
import { checkConnections, createConnections } from '../../src/tenants/connections.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import { createWorld, type World } from '../contract-bad-input/world.ts';
import { startTestApp } from '../support/app.ts';
import { newTenant, tenantIdOf } from './kit.ts';
import { testServers } from '../../../test/servers.ts';

/** What PostgreSQL itself shows to the roles of the API, whatever the service asks. */
let world: World;
let owner: Sql;
let emptyTenant: string;
const opened: Sql[] = [];
/** The wall built as a join; see the migration. */
const VIEWS = ['image_files_of_tenant', 'images_of_tenant'];
const as = (tenant: string | undefined, role = DEFAULT_ROLE): Sql => {
  const { databaseUrl } = world.service.app.config;
  const sql = createDatabase(databaseUrl, { max: 1, role, ...(tenant !== undefined && { tenant }) });
  opened.push(sql);
  return sql;
};
const READ = Object.entries(GRANTS.tenant).flatMap(([table, rights]) => (rights.includes('select') ? [table] : []));
const countIn = async (sql: Sql, table: string): Promise<number> => {
  // a column that every such table grants
  const [column] = await owner<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = ${table}::regclass and attnum > 0
      and has_column_privilege(${DEFAULT_ROLE}, ${table}::regclass, attnum, 'select') order by attnum limit 1`;
  const [row] = await sql<{ count: number }[]>`select count(${sql(column!.name)}) as count from ${sql(table)}`;
  return row!.count;
};

beforeAll(async () => {
  world = await createWorld();
  owner = world.service.sql;
  const [project, image, batch] = [world.ids.projects[0]!, world.ids.images[0]!, world.ids.batches[0]!];
  // what no request of the world leaves behind
  await owner`insert into idempotency (key_id, route, key) select id, 'r', 'k' from api_keys limit 1`;
  await owner`insert into batch_progress (batch_id, second, done) values (${batch}, 1, 1)`;
  await owner`insert into event_streams (project_id, epoch) values (${project}, ${randomUUID()}) on conflict do nothing`;
  await owner`insert into event_log (project_id, from_seq, to_seq, frame, frame_no) values (${project}, 1, 1, '{}', 1)`;
  await owner`insert into job_outbox (project_id, batch_id, image_id, generation) values (${project}, ${batch}, ${image}, 9)`;
  await newTenant(world.service, 'empty');
  emptyTenant = await tenantIdOf(world.service, 'empty');
});
afterAll(async () => {
  await Promise.all(opened.map((sql) => sql.end({ timeout: 5 })));
  await world.close();
});

describe('the tenants’ role', () => {
  it('owns nothing, is no superuser and does not bypass row-level security, and neither does the service’s', async () => {
    for (const role of [DEFAULT_ROLE, serviceRole(DEFAULT_ROLE)]) {
      const [row] = await owner`
        select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole,
          (select count(*) from pg_class where relowner = pg_roles.oid) as owned from pg_roles where rolname = ${role}`;
      expect(row).toEqual({ rolsuper: false, rolbypassrls: false, rolcanlogin: false, rolcreaterole: false, owned: 0 });
    }
  });

  it('has row-level security on every table, and no right on one that is not in the list', async () => {
    const tables = await owner<{ name: string; secured: boolean; granted: boolean }[]>`
      select relname as name, relrowsecurity as secured,
        has_any_column_privilege(${DEFAULT_ROLE}, oid, 'select, insert, update') or has_table_privilege(${DEFAULT_ROLE}, oid, 'delete') as granted
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`;
    expect(tables.filter(({ secured }) => !secured).map(({ name }) => name)).toEqual(['schema_migrations']);
    expect(tables.filter(({ granted }) => granted).map(({ name }) => name)).toEqual(
      Object.keys(GRANTS.tenant)
        .filter((name) => !VIEWS.includes(name))
        .toSorted(),
    );
    const views = await owner<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm') order by 1`;
    expect(views.map(({ name }) => name)).toEqual(VIEWS);
  });

  it('sees in every table all rows as their tenant, and none as another one, as nobody, or without saying who', async () => {
    const [theirs, empty, nobody, unsaid] = [as(FIRST_TENANT), as(emptyTenant), as(''), as(undefined)];
    for (const table of READ) {
      const counts = [];
      for (const sql of [theirs, empty, nobody, unsaid]) counts.push(await countIn(sql, table));
      const all = await countIn(owner, VIEWS.includes(table) ? 'images' : table);
      // the other tenant has one key, and is told of it
      const made = Number(['api_keys', 'audit'].includes(table));
      expect([table, counts]).toEqual([table, [all - made, made, 0, 0]]);
      expect([table, all > 0]).toEqual([table, true]);
    }
  });

  it('reads no hash of a key, no session and no tenant’s name', async () => {
    const sql = as(FIRST_TENANT);
    for (const query of ['token_sha256 from api_keys', '* from sessions', '* from tenants', '* from retired_secrets'])
      await expect(sql.unsafe(`select ${query}`)).rejects.toThrow('permission denied');
  });

  it('changes and adds nothing in another’s', async () => {
    const sql = as(emptyTenant);
    const [project, image] = [world.ids.projects[0]!, world.ids.images[0]!];
    const denied = 'row-level security';
    expect((await sql`update projects set name = 'x'`).count).toBe(0);
    expect((await sql`update images set name = 'x'`).count).toBe(0);
    expect((await sql`delete from images`).count).toBe(0);
    expect((await sql`delete from event_outbox`).count).toBe(0);
    await expect(sql`insert into projects (id, name) values (${randomUUID()}, 'x')`).rejects.toThrow(denied);
    await expect(
      sql`insert into images (id, project_id, name, sha256) select ${randomUUID()}, ${project}, 'x', sha256('x')`,
    ).rejects.toThrow(denied);
    await expect(sql`insert into event_outbox (project_id, image_id) values (${project}, ${image})`).rejects.toThrow(
      denied,
    );
    await expect(
      sql`insert into batch_items (batch_id, image_id, status) values (${world.ids.batches[1]!}, ${image}, 'queued')`,
    ).rejects.toThrow(denied);
    await expect(
      sql`insert into audit (tenant_id, action, target_type) values (${FIRST_TENANT}, 'x', 'x')`,
    ).rejects.toThrow(denied);
  });

  it('is another’s on no connection that was opened for one tenant, whatever ran on it', async () => {
    const connections = createConnections({ ...world.service.app.config, databasePool: 2, tenantPool: 2 });
    const ask = (tenant: string) => connections.of(tenant)<{ tenant: string }[]>`select segbench_tenant() as tenant`;
    const order = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? FIRST_TENANT : emptyTenant));
    const answers = await Promise.all(order.map(async (tenant) => (await ask(tenant))[0]!.tenant));
    expect(answers).toEqual(order);
    await connections.end();
  });
});

describe('the start', () => {
  it('is refused when a table lost its row-level security, when the role owns one, and when it is a superuser', async () => {
    const sql = as(FIRST_TENANT);
    await expect(checkWall(sql, DEFAULT_ROLE)).resolves.toBeUndefined();
    await owner`alter table exports disable row level security`;
    await expect(checkWall(sql, DEFAULT_ROLE)).rejects.toThrow('can read without row-level security: exports');
    await owner`alter table exports enable row level security`;
    await expect(checkWall(owner, 'postgres')).rejects.toThrow(/is a superuser and has BYPASSRLS/);
  });

  it('without the role says what an administrator must run', async () => {
    const config = { ...world.service.app.config, databaseRole: 'segbench_not_there' };
    const connections = createConnections(config);
    await expect(checkConnections(connections, config.databaseRole)).rejects.toThrow(
      /DATABASE_ROLE is "segbench_not_there".*CREATE ROLE segbench_not_there NOLOGIN; CREATE ROLE segbench_not_there_service NOLOGIN/,
    );
    await connections.end();
  });

  it('of a database user who may make no role says so too, and works once somebody else has made it', async () => {
    const servers = testServers();
    const database = await servers.createDatabase();
    const role = `r${randomUUID().slice(0, 8)}`;
    const admin = createDatabase(database.url, { max: 1 });
    const url = new URL(database.url);
    try {
      await admin.unsafe(`create role ${role}_user login password 'x'; grant create on database ${url.pathname.slice(1)} to ${role}_user;
        grant create on schema public to ${role}_user; create extension pg_trgm`);
      url.username = `${role}_user`;
      url.password = 'x';
      await expect(migrate(url.href, undefined, role)).rejects.toThrow(`CREATE ROLE ${role} NOLOGIN`);
      await admin.unsafe(
        `create role ${role} nologin; create role ${role}_service nologin; grant ${role}, ${role}_service to ${role}_user`,
      );
      await migrate(url.href, undefined, role);
      const app = await startTestApp({ DATABASE_ROLE: role }, { databaseUrl: url.href });
      expect((await app.call('/api/projects', { method: 'POST', json: { name: 'x' } })).status).toBe(201);
      await app.close();
    } finally {
      await admin.end({ timeout: 5 });
      await database.drop();
      const left = createDatabase(servers.adminUrl, { max: 1 });
      await left.unsafe(`drop role if exists ${role}, ${role}_service, ${role}_user`);
      await left.end({ timeout: 5 });
    }
  });
});

describe('DATABASE_ROLE=off', () => {
  it('serves one tenant, says at the start what is missing, makes no second tenant and serves none', async () => {
    const app = await startTestApp({ DATABASE_ROLE: 'off' });
    const { config, connections } = app.app;
    expect(await checkConnections(connections, config.databaseRole)).toMatch(/PostgreSQL keeps nobody apart/);
    expect((await app.call('/api/projects', { method: 'POST', json: { name: 'x' } })).status).toBe(201);
    const json = { name: 'k', scopes: ['read'], tenant: 'second' };
    const reply = await app.call('/api/keys', { method: 'POST', json });
    expect([reply.status, await reply.text()]).toEqual([409, expect.stringContaining('DATABASE_ROLE=off')]);
    await app.sql`insert into tenants (id, name) values (${randomUUID()}, 'second')`;
    await expect(checkConnections(connections, config.databaseRole)).rejects.toThrow('has 2 tenants');
    await app.close();
  });
});
