import type { BulkPhase } from '../../../scenarios/scenario.ts';
import type { Bench } from './bench.ts';
import { batchPhase } from './phases/batch.ts';
import { browsePhase } from './phases/browse.ts';
import { burstPhase } from './phases/burst.ts';
import { downloadsPhase } from './phases/downloads.ts';
import { scrollPhase } from './phases/scroll.ts';
import { uploadPhase } from './phases/upload.ts';
import { orStop } from './stop.ts';

interface Phase {
  name: BulkPhase;
  /** What it says of itself when it is over. */
  run: (bench: Bench) => Promise<string>;
  /** Steps of its progress bar. */
  total: (bench: Bench) => number;
}

const images = (bench: Bench) => bench.upload?.uploaded.length ?? bench.set.images.length;

/** The phases of `bulk-1000` in the contract's order. */
export const PHASES: readonly Phase[] = [
  { name: 'upload', run: uploadPhase, total: images },
  { name: 'batch', run: batchPhase, total: images },
  { name: 'burst', run: burstPhase, total: images },
  { name: 'browse', run: browsePhase, total: ({ scenario }) => scenario.phases.browse.requests },
  { name: 'downloads', run: downloadsPhase, total: ({ scenario }) => scenario.phases.downloads.fileBytes / 1024 ** 2 },
  { name: 'scroll', run: scrollPhase, total: ({ scenario }) => scenario.phases.scroll.sweeps },
];
export type PhaseName = BulkPhase;

/** Runs the phases one after the other, each timed; the signal's reason ends them wherever they are. */
export async function runPhases(
  bench: Bench,
  names: readonly string[] = PHASES.map(({ name }) => name),
): Promise<void> {
  for (const { name, run, total } of PHASES.filter((phase) => names.includes(phase.name))) {
    const started = new Date();
    const entry = { name, startedAt: started.toISOString(), durationMs: 0 };
    bench.phases.push(entry);
    bench.progress.phase(name, total(bench));
    try {
      bench.progress.done(await orStop(bench.signal, run(bench)));
    } catch (error) {
      bench.progress.done('stopped');
      throw error;
    } finally {
      entry.durationMs = Date.now() - started.getTime();
    }
  }
}
