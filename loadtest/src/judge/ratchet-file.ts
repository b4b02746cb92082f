import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../environment/errors.ts';
import { projectRoot } from '../environment/paths.ts';
import type { RatchetEntry, RatchetFile } from './ratchet.ts';

export const RATCHET_FILE = join(projectRoot, 'scenarios/ratchet.json');

const isEntry = (value: unknown): value is RatchetEntry =>
  typeof value === 'object' &&
  value !== null &&
  'scenario' in value &&
  'metric' in value &&
  'value' in value &&
  typeof value.value === 'number' &&
  'images' in value &&
  (value.images === null || typeof value.images === 'number');

/** The committed figures. @throws EnvironmentError when the file is missing or damaged: without it nothing would be held, in silence */
export async function readRatchet(path = RATCHET_FILE): Promise<RatchetFile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new EnvironmentError(
      `the ratchet ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const file = value as Partial<RatchetFile>;
  if (file.schemaVersion !== 1 || !Array.isArray(file.entries) || !file.entries.every(isEntry))
    throw new EnvironmentError(
      `the ratchet ${path} is damaged: expected schemaVersion 1 and entries with scenario, metric, images and value`,
    );
  return { schemaVersion: 1, entries: file.entries };
}

export async function writeRatchet(file: RatchetFile, path = RATCHET_FILE): Promise<void> {
  const key = ({ scenario, metric, images }: RatchetEntry): string =>
    `${scenario} ${metric} ${String(images ?? 0).padStart(7)}`;
  const entries = file.entries.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  await writeFile(`${path}.tmp`, `${JSON.stringify({ ...file, entries }, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}
