import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { Value } from 'typebox/value';
import { parseProfile } from '../../../service/src/inference/sim/profile.ts';
import { suggestion } from '../cli/flags.ts';
import { UsageError } from '../cli/usage-error.ts';
import type { ResultFile } from '../contract.ts';
import { projectRoot } from '../environment/paths.ts';
import { readResult } from '../judge/read-result.ts';
import { CapacitySection } from './contract.ts';
import { figure, type Figure } from './figure.ts';
import { groundOfProfile } from './ground-of-profile.ts';
import { groundOfResult } from './ground-of-result.ts';
import { SHARED_STAGES, STAGE_WORDS, TooLittleError, type Ground, type SharedStage } from './ground.ts';

const PROFILES = join(projectRoot, 'service/models/profiles');
/** A run without a model: what images cost beside it. */
export const REFERENCE = join(projectRoot, 'bench-results/reference/fairness.json');

/** CPU time of an image beside the workers, from the kept run. */
async function referenceDemands(): Promise<{ demands: Record<SharedStage, Figure>; cores: number }> {
  const { process, delivery, environment } = await readResult(REFERENCE, relative(projectRoot, REFERENCE));
  const of = (stage: SharedStage): Figure => {
    const { role } = STAGE_WORDS[stage];
    return figure(((process[role]?.cpuSeconds ?? 0) * 1000) / delivery.submitted, 'ms', {
      origin: 'measured',
      source: `${relative(projectRoot, REFERENCE)}: CPU time of ${role} over ${delivery.submitted.toLocaleString('en-US')} images, start and end included`,
    });
  };
  const demands = Object.fromEntries(SHARED_STAGES.map((stage) => [stage, of(stage)])) as Record<SharedStage, Figure>;
  return { demands, cores: environment.cores };
}

/**
 * What `--from` (or another flag) names: the name of a profile, a file (result or profile), or the folder of a run.
 * @throws UsageError where there is none such, or it is neither
 * @throws TooLittleError where it is one, and has too little to plan by
 */
export async function readGround(from: string, flag = '--from'): Promise<Ground> {
  const names = readdirSync(PROFILES)
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'));
  const path = names.includes(from) ? join(PROFILES, `${from}.json`) : inFolder(from);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'is no file and no profile' : `cannot be read: ${error.message}`;
    throw new UsageError(
      `${flag} "${from}" ${why}; allowed: a result.json, the folder of a run, or a profile: ${names.join(', ')}${suggestion(from, names)}`,
    );
  });
  const { demands, cores } = await referenceDemands();
  if (!isProfile(text)) return readingResult(await readResult(path, flag), path, demands, flag);
  try {
    return groundOfProfile(parseProfile(text, path), path, demands, cores);
  } catch (error) {
    throw new UsageError(`${flag} "${from}": ${(error as Error).message.replace(/^POOL: /, '')}`);
  }
}

const inFolder = (from: string): string =>
  statSync(from, { throwIfNoEntry: false })?.isDirectory() === true ? join(from, 'result.json') : from;

/** A file that is no JSON is told by whoever reads it as a result. */
function isProfile(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'residuals' in value && !('schemaVersion' in value);
  } catch {
    return false;
  }
}

function readingResult(result: ResultFile, path: string, demands: Record<SharedStage, Figure>, flag: string): Ground {
  const missing = ['stages', 'delivery'].filter((key) => !Object.hasOwn(result, key));
  if (missing.length > 0) throw new UsageError(`${flag} "${path}" is no result.json: it lacks ${missing.join(', ')}`);
  if (result.capacity !== undefined) {
    const [first] = Value.Errors(CapacitySection, result.capacity);
    if (first !== undefined)
      throw new UsageError(
        `${flag} "${path}": capacity${first.instancePath} ${first.message}; allowed: what npm run bench writes`,
      );
  }
  try {
    return groundOfResult(result, path, demands);
  } catch (error) {
    if (!(error instanceof TooLittleError)) throw error;
    throw new TooLittleError(`${flag} "${path}" has too little to plan by: ${error.message}`);
  }
}
