import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
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

/** Names of the models there are: folders with a version. */
export async function modelNames(modelsDir: string): Promise<string[]> {
  const folders = (await readdir(modelsDir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const versions = await Promise.all(folders.map(({ name }) => versionsOf(path.join(modelsDir, name))));
  return folders.filter((_, i) => versions[i]!.length > 0).map(({ name }) => name);
}

/** Ascending. */
async function versionsOf(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
}

/** The latest version of a model: `modelsDir/name/<number>/card.json`. @throws Error naming what is missing or wrong. */
export async function loadModelCard(modelsDir: string, name: string): Promise<Model> {
  const names = await modelNames(modelsDir);
  if (!names.includes(name)) throw new Error(`model "${name}" is not in ${modelsDir} (allowed: ${names.join(', ')})`);
  const latest = (await versionsOf(path.join(modelsDir, name))).at(-1)!;
  const dir = path.join(modelsDir, name, latest);
  return { name, version: latest, dir, card: await readCard(dir) };
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
