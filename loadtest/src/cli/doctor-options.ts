import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PROVIDERS, type Provider } from '../../../service/src/inference/providers.ts';
import { helpOf, oneOf, parseFlags, textOf, type FlagTable, type FlagValues } from './flags.ts';
import { UsageError } from './usage-error.ts';

export interface DoctorOptions {
  help: boolean;
  json: boolean;
  /** A version's folder. */
  model: string | undefined;
  image: string | undefined;
  gpu: boolean;
  provider: Provider | undefined;
  endpoint: string | undefined;
}

const FLAGS: FlagTable = {
  model: { value: 'DIR', help: 'checks a model, MODELS/NAME or MODELS/NAME/VERSION, and segments an image with it' },
  image: { value: 'FILE', help: 'with --model: the image to segment (default: generated)' },
  gpu: { help: 'which execution providers can run here, and what the others lack' },
  provider: { value: 'NAME', help: `${PROVIDERS.join(', ')}: what must run one image (with --model: default cpu)` },
  endpoint: { value: 'URL', help: 'with --gpu: a Triton or KServe server to look at' },
  json: { help: 'print the checks as JSON on stdout, and nothing else' },
  help: { help: 'this page' },
};
const EXITS = 'exit codes: 0 all is there, 2 usage, 3 something is missing or wrong';
export const doctorHelp = () =>
  `${helpOf('Checks a model of your own, and what runs it.', 'npm run doctor -- --model DIR | --gpu [options]', FLAGS)}\n\n${EXITS}`;

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder itself, or the highest version in it. */
function modelDirOf(text: string): string {
  const dir = resolve(text);
  if (!isFolder(dir)) throw new UsageError(`--model "${text}" is not a folder; allowed: MODELS/NAME/VERSION`);
  const versions = readdirSync(dir).filter((name) => /^\d+$/.test(name) && isFolder(join(dir, name)));
  const latest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  return latest === undefined ? dir : join(dir, latest);
}

function endpointOf(values: FlagValues): string | undefined {
  const text = textOf(values, 'endpoint');
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new UsageError(`--endpoint "${text}" is not allowed; allowed: an address such as http://localhost:8000`);
}

/** @throws UsageError naming flag, value and what is allowed */
export function parseDoctorOptions(args: readonly string[]): DoctorOptions {
  const values = parseFlags(args, FLAGS);
  const model = textOf(values, 'model');
  const image = textOf(values, 'image');
  const gpu = values['gpu'] === true;
  const help = values['help'] === true;
  const endpoint = endpointOf(values);
  if (image !== undefined && model === undefined) throw new UsageError(`--image "${image}" needs --model DIR`);
  if (!help && model === undefined && !gpu)
    throw new UsageError('nothing to check; allowed: --model DIR, --gpu, or both (see --help)');
  if (endpoint !== undefined && !gpu) throw new UsageError(`--endpoint "${endpoint}" needs --gpu`);
  if (image !== undefined && statSync(image, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`--image "${image}" is not a file; allowed: a PNG, JPEG, TIFF or WebP`);
  return {
    help,
    json: values['json'] === true,
    model: model === undefined ? undefined : modelDirOf(model),
    image: image === undefined ? undefined : resolve(image),
    gpu,
    provider: oneOf(values, 'provider', PROVIDERS),
    endpoint,
  };
}
