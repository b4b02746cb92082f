import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVE } from '../../../../scenarios/prove.ts';
import { EnvironmentError } from '../../environment/errors.ts';
import { createClosers } from '../../run/closers.ts';
import { makeImages } from '../../run/images.ts';
import { orStop } from '../../run/stop.ts';
import { wordsOf } from '../../targets/target-error.ts';
import type { SideInfo } from '../contract.ts';
import { measurePairs } from '../pairs.ts';
import type { CompareRunInput } from '../run.ts';
import { sideOf, type BlockName } from '../schedule.ts';
import { measureTargetBlock } from './block.ts';
import { openTargetSide, type TargetSide } from './side.ts';

/**
 * Two services that run already, each behind its adapter, in pairs until the verdict is clear. Neither is suspended while the other
 * works: what they do unasked is part of both.
 */
export async function runTargetComparison(
  { options, progress, stop, onTriple, onImages }: CompareRunInput,
  onSides: (base: SideInfo, head: SideInfo) => void,
): Promise<void> {
  const startedAt = Date.now();
  const closers = createClosers((line) => progress.line(line));
  try {
    const tempDir = await mkdtemp(join(tmpdir(), 'segbench-compare-'));
    closers.add(() => rm(tempDir, { recursive: true, force: true }));
    const open = async (side: 'base' | 'head'): Promise<TargetSide> => {
      progress.phase(`open ${side} (${options[side].ref})`);
      const log = (line: string) => progress.line(line);
      const images = (3 * options.pairs + 2) * options.images;
      const opened = await openTargetSide({ side, path: options[side].ref, images, stop, log });
      closers.add(() => opened.target.close().catch((error: unknown) => progress.line(wordsOf(error))));
      progress.done(`${opened.about.name} at ${opened.about.address}`);
      return opened;
    };
    const base = await open('base');
    const sides = { base, head: await open('head') };
    onSides(sides.base.info, sides.head.info);
    const set = await makeImages({ ...options, count: options.images }, tempDir, progress, stop.signal);
    onImages(set);
    const { signal } = stop;
    // A service remembers what an earlier comparison sent.
    const run = randomBytes(4).toString('hex');
    let count = 0;
    const block = (side: TargetSide) => {
      const name = `${run}-${++count}`;
      const directory = join(tempDir, name);
      return orStop(
        signal,
        measureTargetBlock({ side, images: set.images, block: name, directory, limits: PROVE, signal }).catch(
          (error: unknown) => {
            throw new EnvironmentError(`${side.info.name} (${side.info.ref}) failed: ${wordsOf(error)}`, {
              cause: error,
            });
          },
        ),
      );
    };
    progress.phase('warm up');
    for (const side of Object.values(sides)) await block(side);
    const measure = (name: BlockName) => block(sides[sideOf(name)]);
    await measurePairs({ options, progress, onTriple, startedAt, measure });
  } finally {
    progress.phase('stop');
    await closers.closeAll();
    progress.done();
  }
}
