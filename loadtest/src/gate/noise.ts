import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { disturbance } from '../compare/decide.ts';
import type { BlockFigures, Triple } from '../compare/contract.ts';
import { projectRoot } from '../environment/paths.ts';

/** Blocks of one program against itself, measured for real, and where. */
export interface RecordedNoise {
  date: string;
  machine: string;
  load: string;
  commit: string;
  imagesPerBlock: number;
  workers: number;
  /** Pairs of each comparison that it is of, in their order; absent: of one. Each had images of its own, and its own two processes. */
  comparisons?: number[];
  triples: Triple[];
}
export interface NamedNoise {
  name: string;
  noise: RecordedNoise;
}

const FOLDER = join(projectRoot, 'loadtest/noise');

/** The recordings that are kept, by name. */
export async function readRecordings(folder = FOLDER): Promise<NamedNoise[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  return await Promise.all(
    names.map(async (name) => ({
      name: name.replace('.json', ''),
      noise: JSON.parse(await readFile(join(folder, name), 'utf8')) as RecordedNoise,
    })),
  );
}

/** The pairs of each comparison by itself: those of different ones differ by more than noise, their images have more or fewer cells. */
export function comparisonsOf({ comparisons, triples }: RecordedNoise): Triple[][] {
  let from = 0;
  return (comparisons ?? [triples.length]).map((pairs) => triples.slice(from, (from += pairs)));
}

/** Nothing disturbed the clocks of these blocks. */
export const isQuiet = ({ triples }: Pick<RecordedNoise, 'triples'>): boolean => disturbance(triples) === undefined;

/** Few digits, and none of what no verdict reads: small enough to be kept. */
export const forRecording = (triples: readonly Triple[]): Triple[] =>
  triples.map(({ a, again, b, order }) => ({ a: compact(a), again: compact(again), b: compact(b), order }));

const digits = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
const compact = (block: BlockFigures): BlockFigures => ({
  ...(Object.fromEntries(
    Object.entries(block).map(([name, value]) => [name, digits(value)]),
  ) as unknown as BlockFigures),
  cpuMsByRole: {},
  stageMs: {},
});
