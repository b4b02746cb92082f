import { median } from '../measure/statistics.ts';
import type { BlockFigures, StageMove, Triple } from './contract.ts';
import { logRatio } from './decide.ts';
import { blocksOf } from './metrics.ts';
import { bootstrapInterval } from './statistics/location.ts';

/** Shares of the CPU of an image below this are not spoken of: ticks of 10 ms are most of them. */
const LEAST_CPU_MS = 0.5;
const LEAST_STAGE_MS = 0.2;
/** A move has a ratio this far from 1, and is seen in so many pairs. */
const LEAST_MOVE = 0.05;
const LEAST_PAIRS = 5;

interface Source {
  kind: StageMove['kind'];
  of: (figures: BlockFigures) => Record<string, number>;
  least: number;
}
const SOURCES: readonly Source[] = [
  { kind: 'stage', of: ({ stageMs }) => stageMs, least: LEAST_STAGE_MS },
  { kind: 'cpu', of: ({ cpuMsByRole }) => cpuMsByRole, least: LEAST_CPU_MS },
];

/**
 * Where a change sits: the mean time of an image in each stage that both sides name, and the CPU time of each role, head against base.
 * No test and no part of the verdict; those that moved come first, the largest change in milliseconds at their head.
 */
export function stageMoves(triples: readonly Triple[], seed: number): StageMove[] {
  const moves = SOURCES.flatMap((source) =>
    namesOf(triples, source).map((name) => moveOf(triples, source, name, seed)),
  );
  const weight = (move: StageMove): number => (move.moved ? 1e6 : 0) + Math.abs(move.nowMs - move.baseMs);
  return moves.toSorted((one, other) => weight(other) - weight(one));
}

/** Names that every block of both sides has, with a time worth speaking of. */
function namesOf(triples: readonly Triple[], { of, least }: Source): string[] {
  const blocks = blocksOf(triples).map(of);
  const [first] = blocks;
  return first ? Object.keys(first).filter((name) => blocks.every((block) => (block[name] ?? 0) >= least)) : [];
}

function moveOf(triples: readonly Triple[], { kind, of }: Source, name: string, seed: number): StageMove {
  const at = (figures: BlockFigures): number => of(figures)[name] ?? NaN;
  const { estimate, low, high } = bootstrapInterval(
    triples.map((triple) => logRatio(triple, at)),
    seed,
  );
  return {
    kind,
    name,
    baseMs: median(triples.flatMap(({ a, again }) => [at(a), at(again)])),
    nowMs: median(triples.map(({ b }) => at(b))),
    ratio: Math.exp(estimate),
    low: Math.exp(low),
    high: Math.exp(high),
    moved: triples.length >= LEAST_PAIRS && (low > 0 || high < 0) && Math.abs(estimate) > Math.log1p(LEAST_MOVE),
  };
}
