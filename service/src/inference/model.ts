import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** What this code relies on of a card; the rest is for people. */
export interface ModelCard {
  name: string;
  version: string;
  sha256: string;
  input: { name: string; multipleOf: number };
  output: { name: string; classes: string[] };
}
export interface Model {
  name: string;
  version: string;
  /** Folder that holds model.onnx and card.json. */
  dir: string;
  card: ModelCard;
}

const CLASSES = 'background,interior,boundary';

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

export async function readCard(dir: string): Promise<ModelCard> {
  const file = path.join(dir, 'card.json');
  const card = JSON.parse(await readFile(file, 'utf8')) as ModelCard;
  if (!/^[0-9a-f]{64}$/.test(card.sha256))
    throw new Error(`${file}: sha256 is "${card.sha256}", expected 64 hex digits`);
  if (card.output?.classes?.join() !== CLASSES)
    throw new Error(`${file}: output.classes is "${card.output?.classes?.join()}", expected "${CLASSES}"`);
  if (!Number.isInteger(card.input?.multipleOf) || card.input.multipleOf < 1)
    throw new Error(`${file}: input.multipleOf is ${card.input?.multipleOf}, expected a positive integer`);
  return card;
}

/** The weights, checked against the card's digest. @throws Error when they differ. */
export async function readWeights(dir: string, card: ModelCard): Promise<Uint8Array> {
  const file = path.join(dir, 'model.onnx');
  const bytes = await readFile(file);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== card.sha256) throw new Error(`${file}: sha256 is ${actual}, its card says ${card.sha256}`);
  return bytes;
}
