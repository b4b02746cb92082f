import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { loadModelCard } from '../../../service/src/inference/model.ts';
import { providerIn } from '../../../service/src/inference/sim/label.ts';
import { loadProfile, whyIllustrative } from '../../../service/src/inference/sim/profile.ts';
import type { EnvironmentInfo } from '../contract.ts';
import { projectRoot } from '../environment/paths.ts';
import type { Services } from './services.ts';

export const MODELS_DIR = join(projectRoot, 'service/models');
export const MODEL = 'nuclei';

/** What is told of a service that ran. */
export interface DescribedServices {
  environment: Pick<Services['environment'], 'kind' | 'versions' | 'notes'>;
  browserVersion: string;
}

/** Whose times a simulated run has. */
async function simulatedNote(pool: string): Promise<string> {
  const profile = await loadProfile(pool.slice('sim:'.length), join(MODELS_DIR, 'profiles'));
  const why = whyIllustrative(profile);
  const weight = why === null ? '' : `; illustrative: ${why}`;
  return `inference is simulated by profile ${profile.name} (${profile.device}, ${profile.model}${weight})`;
}

/** What a reader must know of the machine and the parts to compare this run with another. */
export async function describeEnvironment(options: {
  services: DescribedServices | undefined;
  kind: EnvironmentInfo['provider'];
  pool: string;
  psiCpuSome: number | null;
  notes: readonly string[];
}): Promise<EnvironmentInfo> {
  const { services, kind, pool, psiCpuSome, notes } = options;
  const provider = providerIn(pool, 'cpu');
  const { card, name, version } = await loadModelCard(MODELS_DIR, MODEL);
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: `${type()} ${release()}`,
    node: process.version,
    postgres: services?.environment.versions.postgres ?? '',
    redis: services?.environment.versions.redis ?? '',
    browser: services?.browserVersion ?? '',
    inference: { pool, provider, model: `${name}/${version}`, modelSha256: card.sha256 },
    provider: services?.environment.kind ?? kind,
    psiCpuSome,
    notes: [
      'rate limits of the service are lifted',
      ...(services?.environment.notes ?? []),
      ...(pool.startsWith('sim:') ? [await simulatedNote(pool)] : []),
      ...notes,
    ],
  };
}
