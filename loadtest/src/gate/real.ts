import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { decide } from '../compare/decide.ts';
import type { Decision, SideInfo, Triple } from '../compare/contract.ts';
import { looksOf } from '../compare/looks.ts';
import { runComparison } from '../compare/run.ts';
import type { Progress } from '../run/progress.ts';
import type { Stop } from '../run/stop.ts';
import type { RealPlant } from './plants.ts';

/** One comparison that was run for real, and what came of it. */
export interface RealOutcome {
  /** Null: one program with itself. */
  plant: RealPlant | null;
  decision: Decision;
  triples: Triple[];
  tookMs: number;
}

export interface RealInput {
  base: SideInfo;
  head: SideInfo;
  pairs: number;
  images: number;
  minutes: number;
  workers: number;
  pool: string;
  progress: Progress;
  stop: Stop;
}

/** Head against base by the very code of `npm run compare`, with the plant in head alone. */
export async function compareForReal(input: RealInput, plant: RealPlant | null, seed: number): Promise<RealOutcome> {
  const { pairs, progress, stop } = input;
  const startedAt = Date.now();
  const triples: Triple[] = [];
  await runComparison({
    options: { ...input, scenario: BULK_1000, seed, ...(plant ? { headSettings: plant.settings } : {}) },
    progress,
    stop,
    onTriple: (triple) => triples.push(triple),
    onImages: () => {},
  });
  const decision = decide(triples, { looks: looksOf(pairs), isLast: true, seed });
  return { plant, decision, triples, tookMs: Date.now() - startedAt };
}
