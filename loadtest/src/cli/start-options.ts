import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { settingsText } from '../../../service/src/settings-help.ts';
import { helpOf, parseFlags, textOf, wholeNumber, type FlagTable } from './flags.ts';

export interface StartOptions {
  /** Null where none is named: then another one than the usual one will do. */
  port: number | null;
  dataDir: string;
  workers: number;
  help: boolean;
}

/** Half of the cores work on images; the others are for the API, the database and the browser. */
const DEFAULT_WORKERS = Math.max(1, Math.ceil(availableParallelism() / 2));

const FLAGS: FlagTable = {
  port: { value: 'N', help: 'port of 127.0.0.1 to listen on (8080, or another one where that is taken; 0: any)' },
  data: { value: 'DIR', help: 'folder for database, queue and images (.segbench/data)' },
  workers: { value: 'N', help: `inference processes (or WORKERS; ${DEFAULT_WORKERS} on this machine)` },
  help: { help: 'this page' },
};

const TITLE = 'segbench start: the service with database, queue, workers and pages';
/** These a flag or the command itself decides. */
export const DECIDED_SETTINGS = [
  'SEGBENCH_ROLE',
  'PORT',
  'DATABASE_URL',
  'QUEUE_REDIS_URL',
  'CACHE_REDIS_URL',
  'DATA_DIR',
];

export const startHelp = (): string =>
  [
    helpOf(TITLE, 'npm start -- [options]', FLAGS),
    `Settings are environment variables (docs/settings.md); not taken from the shell here: ${DECIDED_SETTINGS.join(', ')}.`,
    settingsText(),
  ].join('\n\n');

/** @throws UsageError naming flag, value and what is allowed */
export function parseStartOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): StartOptions {
  const values = parseFlags(args, FLAGS);
  return {
    port: wholeNumber(values, 'port', { min: 0, max: 65_535 }) ?? null,
    dataDir: resolve(textOf(values, 'data') ?? '.segbench/data'),
    // A bad WORKERS is refused with the other settings.
    workers: wholeNumber(values, 'workers', { min: 1, max: 256 }) ?? Number(env['WORKERS'] || DEFAULT_WORKERS),
    help: values['help'] === true,
  };
}
