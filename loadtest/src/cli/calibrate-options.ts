import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { projectRoot } from '../environment/paths.ts';
import { helpOf, oneOf, parseFlags, textOf, wholeNumber, type FlagTable, type FlagValues } from './flags.ts';
import { newFolder } from './new-folder.ts';
import { UsageError } from './usage-error.ts';

export interface CalibrateOptions {
  name: string;
  device: string | undefined;
  pool: string;
  provider: string;
  batches: number[];
  sides: number[];
  rounds: number;
  clock: (typeof CLOCKS)[number];
  out: string;
  json: boolean;
  help: boolean;
}

/** CPU time says what an idle core would take, also while the machine is busy; it says nothing of a GPU. */
const CLOCKS = ['wall', 'cpu'] as const;

const FLAGS: FlagTable = {
  name: { value: 'NAME', help: 'what the profile is called: --pool sim:NAME (required)' },
  pool: { value: 'POOL', help: 'local, sim:PROFILE or kserve:URL[,URL…] (local)' },
  provider: { value: 'NAME', help: 'execution provider of a local pool (cpu)' },
  device: { value: 'TEXT', help: 'what it is measured on (this processor)' },
  batches: { value: 'N,N,…', help: 'batch sizes (1,2,4,8,16)' },
  sides: {
    value: 'N,N,…',
    help: 'sides of square images, three at least for a profile that answers questions (256,512,1024)',
  },
  rounds: { value: 'N', help: 'executions of each batch size and side (7)' },
  clock: {
    value: 'NAME',
    help: 'wall, or cpu: CPU time of the worker, for a local pool on a machine that is not idle (wall)',
  },
  out: { value: 'FILE', help: 'file to write (service/models/profiles/NAME.json)' },
  json: { help: 'only the profile on stdout' },
  help: { help: 'this page' },
};

export const calibrateHelp = (): string =>
  helpOf(
    'segbench calibrate: measures what batches cost on a backend, and writes a profile to simulate it by',
    'npm run calibrate -- --name NAME [options]',
    FLAGS,
  );

function numbers(text: string | undefined, flag: string, fallback: number[], range: { min: number; max: number }) {
  if (text === undefined) return fallback;
  const list = text.split(',').map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : Number.NaN));
  if (!list.every((each) => each >= range.min && each <= range.max) || new Set(list).size < 2)
    throw new UsageError(
      `--${flag} "${text}" is not allowed; allowed: two or more different whole numbers from ${range.min} to ${range.max}`,
    );
  return list;
}

function clockOf(values: FlagValues): CalibrateOptions['clock'] {
  const clock = oneOf(values, 'clock', CLOCKS) ?? 'wall';
  const [pool, provider] = [textOf(values, 'pool') ?? 'local', textOf(values, 'provider') ?? 'cpu'];
  if (clock === 'cpu' && (pool !== 'local' || provider !== 'cpu'))
    throw new UsageError(
      `--clock "cpu" is not allowed with --pool ${pool}, --provider ${provider}; allowed with local and cpu`,
    );
  return clock;
}

/** Told before minutes of measuring, not after. */
function outFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UsageError(`--out "${path}" is a folder; allowed: a file, made where it is missing`);
  newFolder('out', dirname(path));
  return path;
}

/** @throws UsageError naming flag, value and what is allowed */
export function parseCalibrateOptions(args: readonly string[]): CalibrateOptions {
  const values = parseFlags(args, FLAGS);
  const help = values['help'] === true;
  const name = textOf(values, 'name') ?? '';
  if (!help && !/^[a-z0-9][a-z0-9-]{0,60}$/.test(name))
    throw new UsageError(`--name "${name}" is not allowed; allowed: small letters, digits and -, at most 61`);
  return {
    name,
    device: textOf(values, 'device'),
    pool: textOf(values, 'pool') ?? 'local',
    provider: textOf(values, 'provider') ?? 'cpu',
    batches: numbers(textOf(values, 'batches'), 'batches', [1, 2, 4, 8, 16], { min: 1, max: 64 }),
    sides: numbers(textOf(values, 'sides'), 'sides', [256, 512, 1024], { min: 64, max: 1536 }),
    clock: clockOf(values),
    rounds: wholeNumber(values, 'rounds', { min: 1, max: 1000 }) ?? 7,
    out: help
      ? ''
      : outFile(resolve(textOf(values, 'out') ?? join(projectRoot, `service/models/profiles/${name}.json`))),
    json: values['json'] === true,
    help,
  };
}
