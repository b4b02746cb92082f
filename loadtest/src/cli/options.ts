import { statSync } from 'node:fs';
import { CLIENTS, CLIENT_KINDS, DEFAULT_CLIENT, DEFAULT_POOL, POOL_KINDS } from '../../../scenarios/defaults.ts';
import { DEFAULT_SCENARIO, SCENARIO_NAMES, listScenarios, scenarioByName } from '../../../scenarios/index.ts';
import type { Scenario, ScenarioKind } from '../../../scenarios/index.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import { ENVIRONMENT_KINDS } from '../environment/types.ts';
import type { EnvironmentKind } from '../environment/types.ts';
import { FAULT_IDS } from '../faults/table.ts';
import { PROOF_FAULTS, type ProofFault } from '../prove/records.ts';
import { SWITCH_NAMES, type SwitchName } from '../run/switches.ts';
import { helpOf, oneOf, parseFlags, suggestion, textOf, wholeNumber } from './flags.ts';
import type { FlagTable, FlagValues } from './flags.ts';
import { newFolder } from './new-folder.ts';
import { POOLS, poolOf, type PoolChoice } from './pool.ts';
import { ON_INCONCLUSIVE, PROOF_FLAGS, refuseForProof, rejudgeOf, type RejudgeOptions } from './proof-options.ts';
import { UsageError } from './usage-error.ts';

export const DEFAULT_SEED = 1;
const DEFAULT_WORKERS = 2;
const DEFAULT_OUT = 'bench-results';
const MAX = { count: 100_000, workers: 256, repeat: 100, seed: 2 ** 32 - 1, duration: 86_400 };
/** Kinds that run for as long as they are told. */
const TIMED: readonly ScenarioKind[] = ['faults', 'soak', 'gate-proof'];

export interface BenchOptions {
  scenario: Scenario;
  /** How many images; undefined with `images` means all of them. */
  count: number | undefined;
  images: { directory: string; split: string | undefined; kind: string | undefined } | undefined;
  workers: number;
  pool: PoolChoice;
  environment: EnvironmentKind;
  client: (typeof CLIENTS)[number];
  repeat: number;
  baseline: string | undefined;
  /** Folder that holds the runs' folders and the link `latest`. */
  out: string;
  onInconclusive: (typeof ON_INCONCLUSIVE)[number];
  json: boolean;
  quick: boolean;
  seed: number;
  /** Seconds; undefined where the scenario decides. */
  duration: number | undefined;
  /** Only these faults; undefined: all. */
  faults: readonly string[] | undefined;
  /** Optimisations that the scenario is also run without. */
  without: readonly SwitchName[];
  /** Module of the adapter of a service that is not ours. */
  target: string | undefined;
  /** What happens to the line of events in the scenario prove. */
  fault: ProofFault;
}

export type BenchCommand =
  | { kind: 'help' | 'list'; text: string }
  | { kind: 'run'; options: BenchOptions }
  | { kind: 'rejudge'; options: RejudgeOptions };

export const BENCH_FLAGS = {
  scenario: {
    value: 'NAME|FILE',
    help: `what is replayed: ${SCENARIO_NAMES.join(', ')}, or a file of your own (default ${DEFAULT_SCENARIO})`,
  },
  list: { help: 'list the scenarios and their budgets' },
  count: {
    value: 'N',
    help: `how many images (viewer: outlines), 1 to ${MAX.count} (default: as the scenario says; with --images: all)`,
  },
  images: {
    value: 'DIR',
    help: 'real images (PNG, JPEG, TIFF, WebP); labels in DIR/../labels, manifest in DIR/../manifest.json',
  },
  split: { value: 'NAME', help: 'with --images: only this split of the manifest' },
  kind: { value: 'NAME', help: 'with --images: only this kind of the manifest' },
  workers: { value: 'N', help: `inference workers, 1 to ${MAX.workers} (default ${DEFAULT_WORKERS})` },
  pool: { value: 'POOL', help: `${POOLS} (default: as the scenario says, else ${DEFAULT_POOL})` },
  environment: {
    value: 'NAME',
    help: `${ENVIRONMENT_KINDS.join(' | ')} (default auto: containers where Docker answers and has or gets the images, else embedded)`,
  },
  client: {
    value: 'NAME',
    help: `${CLIENTS.join(' | ')} (default: as the scenario says, else ${DEFAULT_CLIENT}); naive is the negative control`,
  },
  repeat: { value: 'N', help: `run the scenario N times, 1 to ${MAX.repeat} (default 1)` },
  baseline: { value: 'FILE', help: 'a result.json to compare counts and bytes with' },
  without: {
    value: 'NAMES',
    help: `also run without each of these, and compare: ${SWITCH_NAMES.join(', ')} (a comma list) or all`,
  },
  out: { value: 'DIR', help: `folder for the runs' folders (default ${DEFAULT_OUT})` },
  'on-inconclusive': { value: 'fail|warn', help: 'exit 5 (fail, the default) or 0 (warn) on an inconclusive verdict' },
  json: { help: 'print the result on stdout, and nothing else' },
  quick: {
    help: 'fewer images, a shorter run (bulk-1000: 100 images; faults: 30 images a batch, 60 s; overload: 10 s; page-hour: 20 s; soak: 120 s)',
  },
  duration: {
    value: 'S',
    help: `seconds, 1 to ${MAX.duration}: of --scenario soak; of faults, then at random moments; of gate-proof: begins nothing later`,
  },
  faults: { value: 'IDS', help: `with --scenario faults: only these (a comma list): ${FAULT_IDS.join(', ')}` },
  ...PROOF_FLAGS,
  seed: { value: 'N', help: `seed of images and order, 0 to ${MAX.seed} (default ${DEFAULT_SEED})` },
  help: { help: 'this text' },
} as const satisfies FlagTable;

/**
 * Reads the command line of `bench`, before any work. Folders and files named must exist.
 * @param own what `--scenario FILE` is, loaded already
 * @throws UsageError (exit 2) that names the flag, its value and what is allowed.
 */
export function parseBenchOptions(args: readonly string[], own?: Scenario): BenchCommand {
  const values = parseFlags(args, BENCH_FLAGS);
  if (values['help']) return { kind: 'help', text: benchHelp() };
  if (values['list'] && values['json'])
    throw new UsageError('--json is not allowed with --list, which prints text; allowed: one of them');
  if (values['list']) return { kind: 'list', text: scenarioList(own) };
  const rejudge = rejudgeOf(values);
  if (rejudge) return { kind: 'rejudge', options: rejudge };
  const scenario = own ?? scenarioByName(oneOf(values, 'scenario', SCENARIO_NAMES) ?? DEFAULT_SCENARIO);
  refuseForFaults(values, scenario);
  refuseForProof(values, scenario);
  const images = imagesOf(values);
  if (images === undefined && scenario.kind === 'bulk' && scenario.needsImages)
    throw new UsageError(`--scenario ${scenario.name} needs --images DIR: a folder of PNG, JPEG, TIFF or WebP`);
  const quick = values['quick'] === true;
  const fallbackCount = quick ? scenario.images.quickCount : images ? undefined : scenario.images.count;
  return {
    kind: 'run',
    options: {
      scenario,
      count: wholeNumber(values, 'count', { min: 1, max: MAX.count }) ?? fallbackCount,
      images,
      workers: wholeNumber(values, 'workers', { min: 1, max: MAX.workers }) ?? DEFAULT_WORKERS,
      pool: poolOf(textOf(values, 'pool') ?? scenario.pool ?? DEFAULT_POOL),
      environment: environmentOf(values, scenario),
      client: oneOf(values, 'client', CLIENTS) ?? scenario.client ?? DEFAULT_CLIENT,
      repeat: wholeNumber(values, 'repeat', { min: 1, max: MAX.repeat }) ?? 1,
      baseline: existing(values, 'baseline', 'file'),
      out: outOf(values),
      onInconclusive: oneOf(values, 'on-inconclusive', ON_INCONCLUSIVE) ?? 'fail',
      json: values['json'] === true,
      quick,
      duration: durationOf(values, scenario),
      faults: faultsOf(values, scenario),
      seed: wholeNumber(values, 'seed', { min: 0, max: MAX.seed }) ?? DEFAULT_SEED,
      without: withoutOf(textOf(values, 'without')),
      target: existing(values, 'target', 'file'),
      fault: oneOf(values, 'fault', PROOF_FAULTS) ?? (scenario.kind === 'prove' ? 'cut' : 'none'),
    },
  };
}

/** What `--scenario` says, if anything. @throws UsageError */
export const scenarioArgument = (args: readonly string[]): string | undefined =>
  textOf(parseFlags(args, BENCH_FLAGS), 'scenario');

export function benchHelp(): string {
  const exits =
    'exit codes: 0 pass, 1 a budget failed, 2 usage, 3 environment, 4 regression, 5 inconclusive, 130 interrupted';
  return `${helpOf('Replays a bulk run through the whole path and judges its budgets.', 'npm run bench -- [options]', BENCH_FLAGS)}\n\n${exits}`;
}

/** Those that are built in, and `own`. */
export function scenarioList(own?: Scenario): string {
  return [...listScenarios(), ...(own ? [own] : [])].map(listed).join('\n\n');
}

function listed({ kind, name, title, budgets, pool, client }: Scenario): string {
  const isOf = (kinds: readonly ScenarioKind[]): boolean => kinds.includes(kind);
  const defaults = [
    ...(isOf(POOL_KINDS) ? [`pool ${hideCredentials(pool ?? DEFAULT_POOL)}`] : []),
    ...(isOf(CLIENT_KINDS) ? [`client ${client ?? DEFAULT_CLIENT}`] : []),
  ];
  const lines = [
    ...(defaults.length > 0 ? [defaults.join(', ')] : []),
    ...budgets.map((b) => `${b.name} ${b.operator} ${b.limit} ${b.unit}`),
  ];
  return [`${name}: ${title}`, ...lines].join('\n  ');
}

/** A scenario that ends its servers on purpose needs them as processes. */
function environmentOf(values: FlagValues, { kind }: Scenario): EnvironmentKind {
  const environment = oneOf(values, 'environment', ENVIRONMENT_KINDS) ?? 'auto';
  return kind === 'faults' && environment === 'auto' ? 'embedded' : environment;
}

function durationOf(values: FlagValues, { kind, name }: Scenario): number | undefined {
  const duration = wholeNumber(values, 'duration', { min: 1, max: MAX.duration });
  if (duration === undefined || TIMED.includes(kind)) return duration;
  const allowed = listScenarios().filter((scenario) => TIMED.includes(scenario.kind));
  throw new UsageError(
    `--duration "${duration}" is not allowed with --scenario ${name}, which ends when its work is done; allowed with ${allowed.map((scenario) => scenario.name).join(', ')}`,
  );
}

function faultsOf(values: FlagValues, { kind, name }: Scenario): readonly string[] | undefined {
  const text = textOf(values, 'faults');
  if (text === undefined) return undefined;
  if (kind !== 'faults')
    throw new UsageError(`--faults "${text}" is not allowed with --scenario ${name}; allowed with faults`);
  return text.split(',').map((word) => {
    if (FAULT_IDS.includes(word)) return word;
    throw new UsageError(`--faults "${word}" is not allowed; allowed: ${FAULT_IDS.join(', ')}`);
  });
}

/** What a scenario that breaks things on purpose cannot do. */
function refuseForFaults(values: FlagValues, { kind, name }: Scenario): void {
  if (kind !== 'faults') return;
  const environment = textOf(values, 'environment') ?? 'auto';
  if (environment !== 'auto' && environment !== 'embedded')
    throw new UsageError(
      `--environment "${environment}" is not allowed with --scenario ${name}, which ends its servers; allowed: auto, embedded`,
    );
  for (const flag of ['images', 'without', 'baseline'])
    if (values[flag] !== undefined)
      throw new UsageError(`--${flag} "${values[flag]}" is not allowed with --scenario ${name}`);
  if (textOf(values, 'client') === 'naive')
    throw new UsageError(`--client "naive" is not allowed with --scenario ${name}; allowed: optimized`);
}

function imagesOf(values: FlagValues): BenchOptions['images'] {
  const directory = existing(values, 'images', 'directory');
  const split = textOf(values, 'split');
  const kind = textOf(values, 'kind');
  for (const [flag, value] of Object.entries({ split, kind })) {
    if (value !== undefined && directory === undefined)
      throw new UsageError(`--${flag} "${value}" needs --images DIR: synthetic images have no ${flag}`);
  }
  return directory === undefined ? undefined : { directory, split, kind };
}

export const outOf = (values: FlagValues): string => newFolder('out', textOf(values, 'out') ?? DEFAULT_OUT);

function existing(values: FlagValues, flag: string, what: 'file' | 'directory'): string | undefined {
  const path = textOf(values, flag);
  if (path === undefined) return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  const fits = what === 'file' ? stats?.isFile() : stats?.isDirectory();
  if (fits) return path;
  throw new UsageError(
    `--${flag} "${path}" ${stats ? `is not a ${what}` : 'does not exist'}; allowed: an existing ${what}`,
  );
}

function withoutOf(text: string | undefined): readonly SwitchName[] {
  if (text === undefined) return [];
  if (text === 'all') return SWITCH_NAMES;
  const names = text.split(',').map((word) => {
    const name = SWITCH_NAMES.find((known) => known === word);
    if (name !== undefined) return name;
    const allowed = `${SWITCH_NAMES.join(', ')}, all`;
    throw new UsageError(`--without "${word}" is not allowed; allowed: ${allowed}${suggestion(word, SWITCH_NAMES)}`);
  });
  return [...new Set(names)];
}
