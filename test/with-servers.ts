/**
 * Runs a command beside PostgreSQL and two Redis that it did not start, named as `--environment external` wants them; ends with its exit code.
 *   node test/with-servers.ts COMMAND [ARGUMENT]...
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startEnvironment } from '../loadtest/src/environment/index.ts';

const [command = '', ...args] = process.argv.slice(2);
const servers = await startEnvironment({
  kind: 'embedded',
  log: (line) => process.stderr.write(`servers: ${line}\n`),
});
const addresses = {
  SEGBENCH_DATABASE_URL: servers.databaseUrl,
  SEGBENCH_QUEUE_REDIS_URL: servers.queueRedisUrl,
  SEGBENCH_CACHE_REDIS_URL: servers.cacheRedisUrl,
};
try {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...addresses } });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await servers.stop();
}
