import { helpOf, parseFlags, suggestion, wholeNumber, type FlagTable } from '../cli/flags.ts';
import { UsageError } from '../cli/usage-error.ts';

const MOST_WORKERS = 256;
/** Places in `server-template` of deploy/haproxy.cfg. */
export const MOST_APIS = 16;

export type ScaleOptions = { json: boolean } & (
  | { action: 'help' }
  | { action: 'status' | 'metrics' }
  | { action: 'deploy' | 'scale'; workers: number; apis: number | undefined }
);

const FLAGS: FlagTable = {
  api: { value: 'N', help: `API replicas, 1 to ${MOST_APIS} (as many as there are; 2 at the first deploy)` },
  json: { help: 'status and metrics as JSON on stdout' },
  help: { help: 'this page' },
};
const ACTIONS = ['deploy', 'status', 'metrics'] as const;

export const scaleHelp = (): string =>
  [
    helpOf(
      'segbench scale: workers and API replicas of the composed system, while it runs',
      'npm run scale -- deploy N | N | status | metrics [options]',
      FLAGS,
    ),
    '',
    '  deploy N  everything up with N workers, or a new image rolled out: servers, migration, then one container after the other',
    '  N         N workers from now on; with --api also other API replicas',
    '  status    what runs, and what the balancer says of it',
    '  metrics   what waits, how fast it goes, and how many workers it would take',
    '',
    'The project is docker-compose.yml and .env of this folder (COMPOSE_FILE and COMPOSE_PROJECT_NAME hold). metrics asks with SEGBENCH_KEY, else with',
    'BOOTSTRAP_API_KEY of .env. SCALE_WITHOUT=prometheus,grafana leaves these out of a deploy.',
  ].join('\n');

function workersOf(word: string | undefined, before: string): number {
  if (word === undefined) throw new UsageError(`${before} needs the number of workers: npm run scale -- ${before} 4`);
  const count = /^\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  if (!(count <= MOST_WORKERS))
    throw new UsageError(`"${word}" is no number of workers; allowed: 0 to ${MOST_WORKERS}`);
  return count;
}

/** @throws UsageError that names the word or flag and what is allowed */
export function parseScaleOptions(args: readonly string[]): ScaleOptions {
  const at = args.findIndex((arg) => arg.startsWith('-'));
  const words = at < 0 ? args : args.slice(0, at);
  const values = parseFlags(at < 0 ? [] : args.slice(at), FLAGS);
  const json = values['json'] === true;
  if (values['help'] === true) return { action: 'help', json };
  const apis = wholeNumber(values, 'api', { min: 1, max: MOST_APIS });
  const [first, ...rest] = words;
  if (first === undefined) throw new UsageError('what is to be done? deploy N, N, status or metrics (see --help)');
  if (first === 'status' || first === 'metrics') {
    if (rest[0] !== undefined) throw new UsageError(`${first} takes no further word, got "${rest[0]}"`);
    if (apis !== undefined) throw new UsageError(`--api goes with a number of workers, not with ${first}`);
    return { action: first, json };
  }
  const isNumber = /^\d/.test(first);
  if (first !== 'deploy' && !isNumber)
    throw new UsageError(
      `unknown word "${first}"${suggestion(first, ACTIONS)}; allowed: ${ACTIONS.join(', ')}, or a number of workers`,
    );
  const further = isNumber ? rest[0] : rest[1];
  if (further !== undefined) throw new UsageError(`one number of workers is enough, got "${further}" too`);
  const workers = isNumber ? workersOf(first, 'scale') : workersOf(rest[0], 'deploy');
  return { action: isNumber ? 'scale' : 'deploy', workers, apis, json };
}
