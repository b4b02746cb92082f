import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseCard, type ModelCard } from './card.ts';

export type { ModelCard } from './card.ts';

export interface Model {
  name: string;
  version: string;
  /** Folder that holds model.onnx and card.json. */
  dir: string;
  card: ModelCard;
}

const isVersion = (name: string) => /^\d+$/.test(name);

/** Names of the models there are: folders with a version in them. */
export async function modelNames(modelsDir: string): Promise<string[]> {
  const folders = (await readdir(modelsDir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const inside = await Promise.all(folders.map(({ name }) => readdir(path.join(modelsDir, name))));
  return folders.map(({ name }) => name).filter((_, i) => inside[i]!.some(isVersion));
}

/** The latest version of a model: `modelsDir/name/<number>/card.json`. @throws Error naming what is missing or wrong. */
export async function loadModelCard(modelsDir: string, name: string): Promise<Model> {
  const names = await modelNames(modelsDir);
  if (!names.includes(name)) throw new Error(`model "${name}" is not in ${modelsDir} (allowed: ${names.join(', ')})`);
  const [latest] = await versionsOf(modelsDir, name);
  const dir = path.join(modelsDir, name, latest!);
  return { name, version: latest!, dir, card: await readCard(dir) };
}

/** The latest first. */
async function versionsOf(modelsDir: string, name: string): Promise<string[]> {
  const versions = (await readdir(path.join(modelsDir, name))).filter(isVersion);
  return versions.sort((a, b) => Number(b) - Number(a));
}

/** What was found whole, by the state of its files: digests are not made for every batch. */
const whole = new Set<string>();

/**
 * The latest version whose weights are those of its card: one that is being copied, or was cut, is passed over.
 * @throws Error of the latest when there is none
 */
export async function latestWholeVersion(modelsDir: string, name: string): Promise<string> {
  let first: unknown;
  for (const version of await versionsOf(modelsDir, name)) {
    const dir = path.join(modelsDir, name, version);
    try {
      const files = await Promise.all(['card.json', 'model.onnx'].map((file) => stat(path.join(dir, file))));
      const state = [dir, ...files.map(({ mtimeMs, size }) => `${mtimeMs}/${size}`)].join(' ');
      if (!whole.has(state)) await readWeights(dir, await readCard(dir));
      whole.add(state);
      return version;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** What `read` gives. @throws Error that says which file of a model is missing. */
async function need<T>(file: string, read: (file: string) => Promise<T>): Promise<T> {
  return read(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`${error.message}; a model is a folder with model.onnx and card.json`, { cause: error });
  });
}

/** @throws Error naming the file, each wrong field, its value and what is allowed. */
export async function readCard(dir: string): Promise<ModelCard> {
  const file = path.join(dir, 'card.json');
  return parseCard(await need(file, (at) => readFile(at, 'utf8')), file);
}

/** The weights, checked against the card's digest. @throws Error when they differ. */
export async function readWeights(dir: string, card: ModelCard): Promise<Uint8Array> {
  const file = path.join(dir, 'model.onnx');
  const bytes = await need(file, (at) => readFile(at));
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== card.sha256)
    throw new Error(`${file}: sha256 is ${actual} (${bytes.length} bytes), its card says ${card.sha256}`);
  return bytes;
}
