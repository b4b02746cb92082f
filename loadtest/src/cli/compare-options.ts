import { DEFAULT_POOL } from '../../../scenarios/defaults.ts';
import { DEFAULT_SCENARIO, listScenarios, SCENARIO_NAMES, scenarioByName } from '../../../scenarios/index.ts';
import type { BulkScenario, Scenario } from '../../../scenarios/scenario.ts';
import { DEFAULT_PAIRS } from '../compare/looks.ts';
import { helpOf, oneOf, parseFlags, textOf, textsOf, wholeNumber, type FlagTable, type FlagValues } from './flags.ts';
import { DEFAULT_SEED, outOf } from './options.ts';
import { POOLS, poolOf, type PoolChoice } from './pool.ts';
import { ON_INCONCLUSIVE } from './proof-options.ts';
import { UsageError } from './usage-error.ts';

export interface CompareOptions {
  /** A commit; null: two targets. */
  against: string | null;
  /** Adapters of base and head; null: commits. */
  targets: readonly [string, string] | null;
  scenario: BulkScenario;
  pairs: number;
  images: number;
  workers: number;
  pool: PoolChoice;
  seed: number;
  minutes: number;
  out: string;
  json: boolean;
  /** No early end. */
  all: boolean;
  onInconclusive: (typeof ON_INCONCLUSIVE)[number];
}
export type CompareCommand =
  | { kind: 'help'; text: string }
  | { kind: 'run'; options: CompareOptions }
  | { kind: 'accept'; reason: string; result: string };

/** Of more pairs, no look is planned for; of more images a block, no noise was measured. */
const MAX = { pairs: 200, images: 10_000, workers: 256, seed: 2 ** 32 - 1, minutes: 1_440 };
const DEFAULT_IMAGES = 200;
const DEFAULT_WORKERS = 2;
/** Ends within a quarter of an hour, with the time that stopping takes. */
const DEFAULT_MINUTES = 14;
const DEFAULT_OUT = 'bench-results';

/** Why blocks of a scenario would measure something else than it says; undefined where they can be had. */
function whyNot(scenario: Scenario): string | undefined {
  if (scenario.kind !== 'bulk') return 'it is no bulk run';
  if (scenario.needsImages === true) return 'a block has images that are made';
  if (scenario.slowerPage !== undefined) return 'a block has no page that could be slow';
  if (scenario.client === 'naive') return 'a block has no page that could be naive';
  return scenario.runs && `it runs ${scenario.runs.join(', ')} alone, and a block is a batch`;
}
const isComparable = (scenario: Scenario): scenario is BulkScenario => whyNot(scenario) === undefined;

const NAMES = listScenarios()
  .filter(isComparable)
  .map(({ name }) => name);

const FLAGS = {
  against: {
    value: 'REF',
    help: 'branch, tag or commit that is base; it is checked out, installed and started beside this tree',
  },
  target: {
    value: 'FILE',
    many: true,
    help: 'given twice, instead of --against: adapters of two services that run already, base and head',
  },
  scenario: {
    value: 'NAME',
    help: `whose images and parameters a block has: ${NAMES.join(', ')}, or a bulk scenario of yours, FILE (default ${DEFAULT_SCENARIO})`,
  },
  blocks: {
    value: 'N',
    help: `pairs of blocks at most, 1 to ${MAX.pairs} (default ${DEFAULT_PAIRS}); fewer than 9 judge counts alone`,
  },
  images: { value: 'N', help: `images a block, 1 to ${MAX.images} (default ${DEFAULT_IMAGES})` },
  workers: { value: 'N', help: `inference workers of each side, 1 to ${MAX.workers} (default ${DEFAULT_WORKERS})` },
  pool: { value: 'POOL', help: `${POOLS}, of both sides (default: as the scenario says, else ${DEFAULT_POOL})` },
  seed: { value: 'N', help: `seed of images, order and resampling, 0 to ${MAX.seed} (default ${DEFAULT_SEED})` },
  minutes: {
    value: 'N',
    help: `no pair begins that would end later, 1 to ${MAX.minutes} (default ${DEFAULT_MINUTES})`,
  },
  out: { value: 'DIR', help: `folder for the run's folder (default ${DEFAULT_OUT})` },
  all: { help: 'measure all pairs, however clear the verdict is: to record noise' },
  json: { help: 'print the result on stdout, and nothing else' },
  'on-inconclusive': { value: 'fail|warn', help: 'exit 5 (fail, the default) or 0 (warn) on an inconclusive verdict' },
  help: { help: 'this text' },
} as const satisfies FlagTable;

const ACCEPT_FLAGS = {
  reason: { value: 'TEXT', help: 'why the growth is accepted; it is committed with the figures' },
  result: {
    value: 'FILE',
    help: `result.json of the bench run whose figures are taken (default ${DEFAULT_OUT}/latest/result.json)`,
  },
  help: { help: 'this text' },
} as const satisfies FlagTable;

const LEAST_REASON = 8;

/**
 * Reads the command line of `compare`, before any work.
 * @param own what `--scenario FILE` is, loaded already
 * @throws UsageError (exit 2) that names the flag, its value and what is allowed
 */
export function parseCompareOptions(args: readonly string[], own?: Scenario): CompareCommand {
  if (args[0] === 'accept') return parseAccept(args.slice(1));
  const values = parseFlags(args, FLAGS);
  if (values['help']) return { kind: 'help', text: compareHelp() };
  const sides = sidesOf(values);
  const scenario = own ?? scenarioByName(oneOf(values, 'scenario', SCENARIO_NAMES) ?? DEFAULT_SCENARIO);
  if (!isComparable(scenario))
    throw new UsageError(
      `--scenario ${scenario.name} cannot be compared: ${whyNot(scenario)}; what can be: ${NAMES.join(', ')}, or a bulk scenario of your own by its path`,
    );
  return {
    kind: 'run',
    options: {
      ...sides,
      scenario,
      pairs: wholeNumber(values, 'blocks', { min: 1, max: MAX.pairs }) ?? DEFAULT_PAIRS,
      images: wholeNumber(values, 'images', { min: 1, max: MAX.images }) ?? DEFAULT_IMAGES,
      workers: wholeNumber(values, 'workers', { min: 1, max: MAX.workers }) ?? DEFAULT_WORKERS,
      pool: poolOf(textOf(values, 'pool') ?? scenario.pool ?? DEFAULT_POOL),
      seed: wholeNumber(values, 'seed', { min: 0, max: MAX.seed }) ?? DEFAULT_SEED,
      minutes: wholeNumber(values, 'minutes', { min: 1, max: MAX.minutes }) ?? DEFAULT_MINUTES,
      out: outOf(values),
      json: values['json'] === true,
      all: values['all'] === true,
      onInconclusive: oneOf(values, 'on-inconclusive', ON_INCONCLUSIVE) ?? 'fail',
    },
  };
}

/** What `--scenario` says, if anything. @throws UsageError */
export const comparedScenario = (args: readonly string[]): string | undefined =>
  args[0] === 'accept' ? undefined : textOf(parseFlags(args, FLAGS), 'scenario');

/** What only the start of our own service can use. */
const OF_COMMITS = ['against', 'workers', 'pool'] as const;

function sidesOf(values: FlagValues): Pick<CompareOptions, 'against' | 'targets'> {
  const targets = textsOf(values, 'target');
  if (targets.length === 0) {
    const against = textOf(values, 'against');
    if (against !== undefined) return { against, targets: null };
    throw new UsageError(
      '--against is missing; expected a branch, tag or commit: npm run compare -- --against main (or two services: --target FILE --target FILE)',
    );
  }
  const [base, head, ...more] = targets;
  if (base === undefined || head === undefined || more.length > 0)
    throw new UsageError(`--target is given ${times(targets.length)}; expected two: base, then head`);
  const superfluous = OF_COMMITS.find((name) => values[name] !== undefined);
  if (superfluous !== undefined)
    throw new UsageError(`--${superfluous} is of no use with --target: both services run already`);
  return { against: null, targets: [base, head] };
}
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function parseAccept(args: readonly string[]): CompareCommand {
  const values = parseFlags(args, ACCEPT_FLAGS);
  if (values['help']) return { kind: 'help', text: acceptHelp() };
  const reason = (textOf(values, 'reason') ?? '').trim();
  if (reason.length < LEAST_REASON)
    throw new UsageError(
      `--reason "${reason}" is not allowed; allowed: a sentence of ${LEAST_REASON} characters or more`,
    );
  return { kind: 'accept', reason, result: textOf(values, 'result') ?? `${DEFAULT_OUT}/latest/result.json` };
}

const acceptHelp = (): string =>
  helpOf(
    'Takes the counts and bytes of a bench run into scenarios/ratchet.json, with the reason.',
    'npm run compare -- accept --reason TEXT [options]',
    ACCEPT_FLAGS,
  );

export function compareHelp(): string {
  const title =
    'This working tree against another commit, or two services: both resident, blocks in an order drawn by chance, one verdict.';
  const exits =
    'exit codes: 0 not worse, 2 usage, 3 a side is missing or died, 4 regression, 5 inconclusive, 130 interrupted';
  const accept =
    'npm run compare -- accept --reason TEXT accepts counts that grew (accept --help); docs/verdicts.md says how it judges.';
  return `${helpOf(title, 'npm run compare -- (--against REF | --target FILE --target FILE) [options]', FLAGS)}\n\n${exits}\n${accept}`;
}
