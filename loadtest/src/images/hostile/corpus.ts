import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom, wholeBetween } from '../random.ts';
import { hostileBases } from './bases.ts';
import { craftedOthers } from './crafted-others.ts';
import { craftedPng } from './crafted-png.ts';
import { craftedTiff } from './crafted-tiff.ts';
import { mutated, truncations } from './mutate.ts';

/** The `MAX_IMAGE_PIXELS` that the crafted sizes are meant for: low, so that what it allows is quick to decode and to segment. */
export const HOSTILE_MAX_PIXELS = 1_000_000;

/** A file that was made to do harm, and what may become of it at upload: `accepted`, or codes of refusals. */
export interface Crafted {
  what: string;
  bytes: Buffer;
  becomes: readonly string[];
}
export interface Hostile extends Crafted {
  /** Unique; its extension says nothing of what is inside. */
  name: string;
  kind: 'crafted' | 'cut' | 'mutated';
}

/** Refused or accepted, by whatever the change hit; always one of the documented ways. */
const ANY_ENDING = ['accepted', 'INVALID_IMAGE', 'IMAGE_TOO_LARGE', 'UNSUPPORTED_TYPE'];
const EXTENSIONS = ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'webp', 'gif', 'svg', 'exe', 'png.php'];
/** Of what is not crafted, the share that is cut rather than mutated, while there is enough of it. */
const CUT_SHARE = 0.3;

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const out = [...list];
  for (let at = out.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [out[at], out[other]] = [out[other]!, out[at]!];
  }
  return out;
}

/**
 * Crafted files, all of them; files cut in each of their pieces; and seeded mutations of well-formed ones. The same seed and count
 * give the same files.
 * @param count files in all; at least as many as are crafted
 */
export async function hostileCorpus(seed: number, count: number): Promise<Hostile[]> {
  const random = createRandom(seed);
  const bases = await hostileBases();
  const crafted = [...craftedPng(), ...craftedTiff(), ...(await craftedOthers(bases))];
  if (count < crafted.length) throw new RangeError(`count is ${count}: expected ${crafted.length} or more`);
  const left = count - crafted.length;
  const cuts = shuffled(bases.flatMap(truncations), random).slice(0, Math.floor(left * CUT_SHARE));
  const changes = Array.from({ length: left - cuts.length }, () => {
    const draw = () => bases[wholeBetween(random, 0, bases.length - 1)]!;
    return mutated(draw(), draw(), random);
  });
  const all: Omit<Hostile, 'name'>[] = [
    ...crafted.map((file) => ({ ...file, kind: 'crafted' as const })),
    ...cuts.map((file) => ({ ...file, kind: 'cut' as const, becomes: ANY_ENDING })),
    ...changes.map((file) => ({ ...file, kind: 'mutated' as const, becomes: ANY_ENDING })),
  ];
  return shuffled(all, random).map((file, at) => ({
    ...file,
    name: `${String(at).padStart(5, '0')}.${EXTENSIONS[wholeBetween(random, 0, EXTENSIONS.length - 1)]}`,
  }));
}

/** `node loadtest/src/images/hostile/corpus.ts --seed N --count N --out DIR` writes the files, for other programs to be tried with. */
async function write(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '2000' },
      out: { type: 'string' },
    },
  });
  if (values.out === undefined) throw new Error('--out is missing: expected a folder');
  await mkdir(values.out, { recursive: true });
  const files = await hostileCorpus(Number(values.seed), Number(values.count));
  for (const { name, bytes } of files) await writeFile(join(values.out, name), bytes);
  const lines = files.map(({ name, kind, what, becomes }) => [name, kind, what, becomes.join('|')].join('\t'));
  await writeFile(join(values.out, 'index.tsv'), `${lines.join('\n')}\n`);
  process.stdout.write(`${files.length} files in ${values.out}, seed ${values.seed}\n`);
}
if (import.meta.main) await write();
