import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { capture } from '../../loadtest/src/environment/processes.ts';
import { testServers } from '../../test/servers.ts';

const main = join(import.meta.dirname, '../src/migrate.ts');
const run = (env: Record<string, string>, ...args: string[]) =>
  capture(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...env } });

describe('node service/src/migrate.ts', () => {
  it('brings an empty database to the newest migration, back, and forth again', async () => {
    const database = await testServers().createDatabase();
    const { url } = database;
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const version = async () =>
      (await sql<{ version: number }[]>`select max(version)::int as version from schema_migrations`)[0]!.version;
    try {
      const first = await run({ DATABASE_URL: url });
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(/^migrate: ran 1, 2, .*\n$/);
      const newest = await version();
      expect((await run({ DATABASE_URL: url })).stdout).toBe('migrate: nothing to do\n');
      expect((await run({ DATABASE_URL: url }, '--to', String(newest - 1))).stdout).toBe(
        `migrate: ran ${newest} back\n`,
      );
      expect(await version()).toBe(newest - 1);
      expect(await run({ DATABASE_URL: url }, '--to', String(newest + 1))).toMatchObject({
        code: 2,
        stderr: `migrate: there is no migration ${newest + 1}: this program knows ${newest}\n`,
      });
      expect(await version()).toBe(newest - 1);
      expect((await run({ DATABASE_URL: url })).stdout).toBe(`migrate: ran ${newest}\n`);
    } finally {
      await sql.end();
      await database.drop();
    }
  });

  it('ends with 2 on bad usage and shows no password', async () => {
    const secret = 'http://user:hunter2@db/x';
    expect(await run({})).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DATABASE_URL is not set') as string,
    });
    const { code, stderr } = await run({ DATABASE_URL: secret });
    expect({ code, shown: stderr.includes('hunter2') }).toEqual({ code: 2, shown: false });
    expect((await run({ DATABASE_URL: secret }, '--to', 'x')).stderr).toContain('--to is "x"');
    expect((await run({ DATABASE_URL: secret }, '--too')).code).toBe(2);
  });

  it('ends with 1 where no database answers', async () => {
    const { code, stderr } = await run({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' });
    expect({ code, said: stderr.startsWith('migrate: ') }).toEqual({ code: 1, said: true });
  });
});
