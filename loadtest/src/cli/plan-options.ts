import { KNOB_NAMES, KNOBS, type Knob } from '../capacity/what-if.ts';
import { MOST_WORKERS, type Question } from '../capacity/question.ts';
import { SHAPE_NAMES, SHAPES, type Shape } from '../capacity/shapes.ts';
import {
  helpOf,
  oneOf,
  parseFlags,
  suggestion,
  textOf,
  textsOf,
  wholeNumber,
  type FlagTable,
  type FlagValues,
} from './flags.ts';
import { outOf } from './options.ts';
import { UsageError } from './usage-error.ts';

export interface PlanOptions {
  /** A result file, the folder of a run, or a profile. */
  from: string;
  question: Omit<Question, 'shape'> & { shape: Shape | null; side: number | null; cells: number | null };
  prices: string | undefined;
  whatIf: readonly { knob: Knob; value: number }[];
  /** Results to hold the plan's rates against. */
  score: readonly string[];
  json: boolean;
  /** Folder for plan.json and plan.html. */
  out: string | undefined;
}

const MAX = { images: 1e12, deadlineMs: 20 * 365 * 86_400_000, seed: 2 ** 32 - 1 };
const DURATIONS = 'a time such as 90s, 30m, 8h or 3d';

const FLAGS: FlagTable = {
  from: { value: 'RESULT|PROFILE', help: 'a result.json, the folder of a run, or a profile (required)' },
  images: { value: 'N', help: 'how many images (required)' },
  deadline: {
    value: 'TIME',
    help: `when all must have ended (required): ${DURATIONS}, or an instant: 2026-12-01T08:00Z`,
  },
  p99: {
    value: 'TIME',
    help: 'images come evenly until the deadline, and ninety-nine of a hundred end this soon (without: all are there at the start)',
  },
  shape: { value: 'NAME', help: `kind of images: ${SHAPE_NAMES.join(', ')} (default: as they were measured)` },
  side: { value: 'N', help: 'pixels of a side, instead of the shape’s' },
  cells: { value: 'N', help: 'cells of an image, instead of the shape’s' },
  batch: { value: 'N', help: 'images of a batch on a worker, MAX_BATCH (default: as it was measured)' },
  delay: { value: 'MS', help: 'BATCH_DELAY_MS (default 0)' },
  'per-machine': { value: 'N', help: 'workers that share a machine and a worker process (default 8)' },
  prices: {
    value: 'FILE',
    help: 'prices.json: currency, workerHour, perhaps serverHour, storageGbMonth, keepMonths, networkGb',
  },
  'what-if': {
    value: 'NAME=N,N…',
    many: true,
    help: `the plan again with one thing turned: ${KNOB_NAMES.join(', ')}; counts each time it is given`,
  },
  score: {
    value: 'RESULT',
    many: true,
    help: 'a run that the plan does not stand on: what was predicted of it, and what it did; counts each time it is given',
  },
  out: { value: 'DIR', help: 'writes plan.json and plan.html there' },
  json: { help: 'the plan on stdout as JSON, and nothing else' },
  seed: { value: 'N', help: 'seed of simulation and intervals (default 1)' },
  help: { help: 'this page' },
};

export const planHelp = (): string =>
  `${helpOf(
    'segbench plan: how many workers a load needs, from what was measured',
    'npm run plan -- --from RESULT|PROFILE --images N --deadline TIME [options]',
    FLAGS,
  )}\n\nexit codes: 0 answered, 1 no number of workers does it, 2 usage, 5 the ground gives no answer (too little measured, or illustrative)`;

/**
 * Reads the command line of `plan`; files are not opened.
 * @param now epoch ms, for a deadline that is an instant
 * @throws UsageError naming flag, value and what is allowed
 */
export function parsePlanOptions(args: readonly string[], now: number): PlanOptions | 'help' {
  const values = parseFlags(args, FLAGS);
  if (values['help']) return 'help';
  const shapeName = oneOf(values, 'shape', SHAPE_NAMES);
  const images = wholeNumber(values, 'images', { min: 1, max: MAX.images });
  if (images === undefined) throw new UsageError('--images is needed: how many images, such as --images 50000');
  const p99 = textOf(values, 'p99');
  return {
    from: needed(values, 'from', 'what was measured, such as --from bench-results/latest'),
    question: {
      images,
      deadlineMs: deadlineOf(needed(values, 'deadline', 'when all must have ended, such as --deadline 8h'), now),
      p99Ms: p99 === undefined ? null : durationOf('p99', p99),
      shape: SHAPES.find(({ name }) => name === shapeName) ?? null,
      side: wholeNumber(values, 'side', KNOBS.side) ?? null,
      cells: wholeNumber(values, 'cells', KNOBS.cells) ?? null,
      maxBatch: wholeNumber(values, 'batch', KNOBS.batch) ?? null,
      batchDelayMs: wholeNumber(values, 'delay', KNOBS.delay) ?? 0,
      perMachine: wholeNumber(values, 'per-machine', { min: 1, max: MOST_WORKERS }) ?? 8,
      seed: wholeNumber(values, 'seed', { min: 0, max: MAX.seed }) ?? 1,
    },
    prices: textOf(values, 'prices'),
    whatIf: textsOf(values, 'what-if').flatMap(whatIfOf),
    score: textsOf(values, 'score'),
    json: values['json'] === true,
    out: textOf(values, 'out') === undefined ? undefined : outOf(values),
  };
}

function needed(values: FlagValues, name: string, what: string): string {
  const text = textOf(values, name);
  if (text === undefined) throw new UsageError(`--${name} is needed: ${what}`);
  return text;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `1.5h`, `1h30m`; null for what is none. */
function readDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h|d))+$/.test(text)) return null;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!,
    0,
  );
}

function durationOf(flag: string, text: string): number {
  const ms = readDuration(text);
  if (ms !== null && ms > 0 && ms <= MAX.deadlineMs) return ms;
  throw new UsageError(`--${flag} "${text}" is not allowed; allowed: ${DURATIONS}`);
}

/** A time from now, or an instant with its zone. */
function deadlineOf(text: string, now: number): number {
  if (!/^\d{4}-/.test(text)) {
    if (readDuration(text) !== null) return durationOf('deadline', text);
    throw new UsageError(
      `--deadline "${text}" is not allowed; allowed: ${DURATIONS}, or an instant such as 2026-12-01T08:00Z`,
    );
  }
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new UsageError(
      `--deadline "${text}" is not allowed; allowed: an instant with its zone, such as 2026-12-01T08:00Z`,
    );
  const leftMs = at - now;
  if (leftMs > 0 && leftMs <= MAX.deadlineMs) return leftMs;
  throw new UsageError(
    `--deadline "${text}" is ${leftMs > 0 ? 'more than 20 years away' : 'in the past'}; allowed: an instant after ${new Date(now).toISOString()}`,
  );
}

function whatIfOf(text: string): PlanOptions['whatIf'] {
  const [name = '', list] = text.split('=', 2);
  const knob = KNOB_NAMES.find((one) => one === name);
  if (knob === undefined || list === undefined)
    throw new UsageError(
      `--what-if "${text}" is not allowed; allowed: NAME=N,N… with ${KNOB_NAMES.join(', ')}${suggestion(name, KNOB_NAMES)}`,
    );
  const { min, max, what } = KNOBS[knob];
  return list.split(',').map((word) => {
    const value = /^\d{1,9}$/.test(word) ? Number(word) : Number.NaN;
    if (value >= min && value <= max) return { knob, value };
    throw new UsageError(
      `--what-if "${text}": "${word}" is not allowed; allowed: ${what}, a whole number from ${min} to ${max}`,
    );
  });
}
