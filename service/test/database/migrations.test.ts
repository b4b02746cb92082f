import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { testServers } from '../../../test/servers.ts';

let database: Awaited<ReturnType<ReturnType<typeof testServers>['createDatabase']>>;
let sql: Sql;
beforeAll(async () => {
  database = await testServers().createDatabase();
  sql = createDatabase(database.url, { max: 1 });
});
afterAll(async () => {
  await sql.end({ timeout: 5 });
  await database.drop();
});

/** Everything that a migration can make, as text. */
async function schema(): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
      from information_schema.columns where table_schema = 'public'
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'public'::regnamespace
    union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select pg_get_functiondef(p.oid) from pg_proc p where pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    union all select format('%s.%s %s', attrelid::regclass, attname, attstorage) from pg_attribute
      where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') and attnum > 0 and not attisdropped
    union all select 'extension ' || extname from pg_extension
    order by 1`;
  return rows.map(({ line }) => line);
}

it('comes back to the very schema of before with each step down', async () => {
  const folder = new URL('../../migrations/', import.meta.url);
  const versions = (await readdir(folder))
    .filter((name) => name.endsWith('.up.sql'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
  let before = 0;
  await migrate(database.url, 0);
  for (const version of versions) {
    const then = await schema();
    expect(await migrate(database.url, version)).toEqual([version]);
    expect(await schema()).not.toEqual(then);
    expect(await migrate(database.url, before)).toEqual([-version]);
    expect(await schema()).toEqual(then);
    await migrate(database.url, version);
    before = version;
  }
});

it('forgets, on the way down from 8, those answers under an Idempotency-Key that jsonb cannot hold, and no others', async () => {
  await migrate(database.url, 8);
  for (const [key, reply] of Object.entries({ plain: { name: 'a\\u0001.png' }, zero: { name: 'a\0.png' } }))
    await sql`insert into idempotency (key_id, key, route, status_code, reply)
      values (gen_random_uuid(), ${key}, 'r', 201, ${JSON.stringify(reply)}::text::json)`;
  await migrate(database.url, 7);
  const rows = await sql`select key, reply from idempotency`;
  expect(rows).toEqual([{ key: 'plain', reply: { name: 'a\\u0001.png' } }]);
});

it('refuses a database that is newer than the program, and says so', async () => {
  await migrate(database.url);
  await sql`insert into schema_migrations (version, name) values (9999, 'future')`;
  await expect(migrate(database.url)).rejects.toThrow(/database is at migration 9999.*use a newer program/);
});
