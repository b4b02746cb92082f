import type { ResultFile } from '../contract.ts';

type Counted = Pick<ResultFile, 'images' | 'delivery' | 'accuracy' | 'stages'>;

/** Sums of floating point come in the order in which images end. */
const DIGITS = 9;

/** What one seed gives wherever it runs: which images, what became of each, what was found in them, how often each stage ran. */
function countsOf({ images, delivery, accuracy, stages }: Counted): Map<string, string> {
  const { count, bytes, sha256OfSet, failedByCode, rejected } = images;
  const stageCounts = Object.entries(stages).map(([name, stage]) => [`stages.${name}`, stage.count] as const);
  const found = Object.entries(accuracy ?? {}).map(
    ([name, value]) => [`accuracy.${name}`, typeof value === 'number' ? value.toFixed(DIGITS) : value] as const,
  );
  return new Map(
    [
      ['images.count', count] as const,
      ['images.bytes', bytes] as const,
      ['images.sha256OfSet', sha256OfSet] as const,
      ['images.rejected', rejected.length] as const,
      ['images.failedByCode', JSON.stringify(failedByCode)] as const,
      ...Object.entries(delivery).map(([name, value]) => [`delivery.${name}`, value] as const),
      ...found,
      ...stageCounts,
    ].map(([name, value]) => [name, String(value)]),
  );
}

/** Counts that differ between two runs of one scenario and seed in different environments, a sentence each; times are not compared. */
export function countDifferences(one: Counted, other: Counted): string[] {
  const [a, b] = [countsOf(one), countsOf(other)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((name) => a.get(name) !== b.get(name))
    .map((name) => `${name}: ${a.get(name) ?? 'none'} and ${b.get(name) ?? 'none'}`);
}
