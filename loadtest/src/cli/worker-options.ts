import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { helpOf, parseFlags, textOf, wholeNumber, type FlagTable, type FlagValues } from './flags.ts';
import { UsageError } from './usage-error.ts';

export interface WorkerOptions {
  settings: Record<string, string>;
  help: boolean;
}

const FLAGS: FlagTable = {
  database: { value: 'URL', help: 'PostgreSQL of the service: postgres://… (or DATABASE_URL)' },
  queue: { value: 'URL', help: 'Redis of its queue: redis://… (or QUEUE_REDIS_URL)' },
  storage: { value: 'DIR', help: 'its folder of files, as this machine sees it (or DATA_DIR)' },
  cache: { value: 'URL', help: 'Redis of its cache: there the operator’s page finds this worker (or CACHE_REDIS_URL)' },
  prefix: { value: 'TEXT', help: 'start of the keys in Redis, as the service has it (or QUEUE_PREFIX; sb)' },
  workers: { value: 'N', help: `inference processes (or WORKERS; ${availableParallelism()}: one a core)` },
  pool: { value: 'POOL', help: 'local, sim:PROFILE or kserve:URL[,URL…] (or POOL; local)' },
  help: { help: 'this page' },
};

export const workerHelp = (): string =>
  helpOf(
    'segbench worker: inference for a service that runs elsewhere',
    'npm run worker -- --database URL --queue URL --storage DIR [options]',
    FLAGS,
  );

/** A flag, or the setting of the environment that it stands for. */
function asked(values: FlagValues, flag: string, setting: string, env: NodeJS.ProcessEnv): string {
  const text = textOf(values, flag) ?? env[setting] ?? '';
  if (text === '') throw new UsageError(`--${flag} is missing: ${FLAGS[flag]!.help}`);
  return text;
}

/** @throws UsageError naming the flag and what is expected */
export function parseWorkerOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): WorkerOptions {
  const values = parseFlags(args, FLAGS);
  if (values['help'] === true) return { settings: {}, help: true };
  const queue = asked(values, 'queue', 'QUEUE_REDIS_URL', env);
  const storage = resolve(asked(values, 'storage', 'DATA_DIR', env));
  if (!existsSync(storage)) throw new UsageError(`--storage "${storage}" is not there: expected the service's folder`);
  const workers = wholeNumber(values, 'workers', { min: 1, max: 256 }) ?? (env['WORKERS'] || availableParallelism());
  const optional = { QUEUE_PREFIX: textOf(values, 'prefix'), POOL: textOf(values, 'pool') };
  const given = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    settings: {
      DATABASE_URL: asked(values, 'database', 'DATABASE_URL', env),
      QUEUE_REDIS_URL: queue,
      // Without it the worker works, and nobody sees it: what it says of itself goes where nobody looks.
      CACHE_REDIS_URL: textOf(values, 'cache') ?? env['CACHE_REDIS_URL'] ?? queue,
      DATA_DIR: storage,
      WORKERS: String(workers),
      ...Object.fromEntries(given),
    },
    help: false,
  };
}
