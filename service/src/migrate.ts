import { parseArgs } from 'node:util';
import { migrate } from './database/migrate.ts';
import { SETTINGS } from './settings.ts';

/**
 * Brings the database to the newest migration that this program knows, or to `--to N`, backwards too, and ends: what runs before
 * the roles of a new version start. Reads DATABASE_URL and DATABASE_ROLE alone.
 */
async function run(): Promise<string> {
  const { values } = parseArgs({ options: { to: { type: 'string' } } });
  if (values.to !== undefined && !/^\d{1,4}$/.test(values.to))
    throw new RangeError(`--to is ${JSON.stringify(values.to)}: expected the number of a migration, 0 for none`);
  const { databaseUrl, databaseRole } = SETTINGS;
  const [url = '', role = ''] = [databaseUrl, databaseRole].map(({ name, parse, allowed, fallback }) => {
    const text = process.env[name] || fallback;
    try {
      if (text !== undefined) return parse(text);
    } catch {
      // told below, without its value: it may hold a password
    }
    throw new RangeError(`${name} is ${text === undefined ? 'not set' : 'not good'}: expected ${allowed}`);
  });
  const ran = await migrate(url, values.to === undefined ? undefined : Number(values.to), role);
  return ran.length === 0
    ? 'nothing to do'
    : `ran ${ran.map((version) => (version < 0 ? `${-version} back` : version)).join(', ')}`;
}

try {
  process.stdout.write(`migrate: ${await run()}\n`);
} catch (error) {
  process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof RangeError || (error instanceof TypeError && 'code' in error) ? 2 : 1;
}
