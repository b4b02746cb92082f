import type { Sql } from './client.ts';

/** `DATABASE_ROLE` of who has no second wall. */
export const NO_WALL = 'off';
export const DEFAULT_ROLE = 'segbench_api';
/** What the API does for no tenant: finding out whose a key is, claiming exports. */
export const serviceRole = (role: string): string => `${role}_service`;

/**
 * What each role of the API may do with each table; a table that is not here is closed to both. Rows are a matter of the policies:
 * the tenants' role has those of the migrations, the service's role sees all rows of its few tables.
 */
export const GRANTS: Readonly<Record<'tenant' | 'service', Readonly<Record<string, string>>>> = {
  tenant: {
    projects: 'select, insert, update',
    images: 'select, insert, update, delete',
    images_of_tenant: 'select',
    image_files_of_tenant: 'select',
    blobs: 'select, insert',
    results: 'select',
    batches: 'select, insert, update',
    batch_items: 'select, insert, update, delete',
    batch_progress: 'select',
    job_outbox: 'select, insert, delete',
    event_outbox: 'select, insert, delete',
    event_streams: 'select, insert',
    event_log: 'select',
    image_stages: 'select, insert',
    image_counts: 'select',
    exports: 'select, insert',
    idempotency: 'select, insert, update, delete',
    audit: 'select, insert',
    // never a hash
    api_keys: 'select (id, tenant_id, name, scopes, created_at, expires_at, revoked_at, last_used_at)',
  },
  service: {
    tenants: 'select, insert',
    api_keys: 'select, insert, update',
    retired_secrets: 'select, insert',
    sessions: 'select, insert, update, delete',
    projects: 'select',
    images: 'select',
    batches: 'select',
    exports: 'select, update, delete',
    webhook_outbox: 'insert',
  },
};
const SEQUENCES = ['job_outbox_id_seq', 'event_outbox_id_seq', 'audit_id_seq'];

const makeRole = (role: string) => `
  do $$ begin
    if not exists (select from pg_roles where rolname = '${role}') then
      create role ${role} nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
  exception when duplicate_object or unique_violation then null; -- another database of this server was first
  end $$;
  do $$ begin
    if not pg_has_role(current_user, '${role}', case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
      grant ${role} to current_user;
    end if;
  end $$;`;
const grant = (role: string, table: string, rights: string) => `grant ${rights} on ${table} to ${role};`;
/** Tables of later migrations are not there while an older one is the goal. */
const whereThere = (table: string, statements: string) => `
  do $there$ begin if to_regclass('${table}') is not null then ${statements} end if; end $there$;`;
/** Policies are made once: making one locks its table. */
const seeAll = (role: string, table: string) => `
    if not exists (select from pg_policies where schemaname = current_schema() and tablename = '${table}' and policyname = '${role}') then
      create policy ${role} on ${table} to ${role} using (true) with check (true);
    end if;`;

/** Everything that the API's roles need in a migrated database; running it again changes nothing. */
export function wallSql(role: string): string {
  const service = serviceRole(role);
  return [
    makeRole(role),
    makeRole(service),
    ...Object.entries(GRANTS.tenant).map(([table, rights]) => grant(role, table, rights)),
    ...SEQUENCES.map((sequence) => grant(role, `sequence ${sequence}`, 'usage')),
    ...Object.entries(GRANTS.service).map(([table, rights]) =>
      whereThere(table, [grant(service, table, rights), seeAll(service, table)].join('\n')),
    ),
  ].join('\n');
}

const howTo = (role: string) =>
  `DATABASE_ROLE is "${role}": the API reads tenants' rows as a role that does not own the tables, and this database user may not make it. ` +
  `Let an administrator run, in this server: CREATE ROLE ${role} NOLOGIN; CREATE ROLE ${serviceRole(role)} NOLOGIN; ` +
  `GRANT ${role}, ${serviceRole(role)} TO <the user of DATABASE_URL>; or give that user CREATEROLE. ` +
  `DATABASE_ROLE=${NO_WALL} does without row-level security, for one tenant only.`;
const codeOf = (error: unknown) => (error as { code?: string } | null)?.code;

/** Makes roles, grants and the service's policies. @throws Error with what an administrator must run where this user may not */
export async function buildWall(sql: Sql, role: string): Promise<void> {
  await sql.unsafe(wallSql(role)).catch((error: unknown) => {
    if (codeOf(error) !== '42501') throw error;
    throw new Error(howTo(role), { cause: error });
  });
}

interface Standing {
  super: boolean;
  bypass: boolean;
  owned: string[];
  open: string[];
}
/**
 * That the wall stands: the role is none that row-level security does not hold for, owns no table, and can read none without it.
 * @param sql connected as the tenants' role @throws Error naming the gap
 */
export async function checkWall(sql: Sql, role: string): Promise<void> {
  const [found] = await sql<Standing[]>`
    select r.rolsuper as super, r.rolbypassrls as bypass,
      array(select c.relname::text from pg_class c where c.relkind in ('r', 'p') and c.relowner = r.oid) as owned,
      array(select c.relname::text from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
        and not c.relrowsecurity and has_any_column_privilege(c.oid, 'select, insert, update')) as open
    from pg_roles r where r.rolname = current_user`.catch((error: unknown) => {
    // no such role, or no right to be it
    if (['22023', '42704', '42501', '28000'].includes(codeOf(error) ?? ''))
      throw new Error(howTo(role), { cause: error });
    throw error;
  });
  const { super: isSuper, bypass, owned, open } = found!;
  const gaps = [
    isSuper && 'is a superuser',
    bypass && 'has BYPASSRLS',
    owned.length > 0 && `owns ${owned.join(', ')}`,
    open.length > 0 && `can read without row-level security: ${open.join(', ')}`,
  ].filter(Boolean);
  if (gaps.length > 0)
    throw new Error(
      `DATABASE_ROLE is "${role}", which ${gaps.join(' and ')}: expected a role that row-level security holds for`,
    );
}
