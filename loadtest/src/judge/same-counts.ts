import type { ResultFile } from '../contract.ts';
import { RATCHET_METRICS, tooSlow } from './ratchet.ts';

/** Sums of floating point come in the order in which images end. */
const DIGITS = 9;

/** A run in which one of these is nothing has nothing to compare. */
const NEEDED = [
  'images.count',
  'images.bytes',
  'images.sha256OfSet',
  'delivery.completed',
  'accuracy.images',
  'stages',
];

/** Figures that differ by no more than the ratchet allows; its others are rates of time. */
const NEAR = new Set(['queries_per_image', 'result_bytes_per_image', 'page_calls', 'page_bytes']);
/** Of these, what images share: on a machine that overloads, a page was sent 1.6 and 3.5 kB an image by one program. */
const SHARED = new Set(['queries_per_image', 'result_bytes_per_image']);

/** What is in view is sent once, twice or three times, by when it ended: 1.6 to 4.3 kB an image of a hundred, most of them in view, in equal runs. */
const RESULT_BYTES_FACTOR = 3;

/** A slow batch asks for its visible part once more, or twice: 4 to 6 in runs of one program on a quiet and on a very busy machine. */
const BULK_CALLS_APART = 3;

const most = (metric: string, limit: (committed: number) => number, value: number): number =>
  metric === 'result_bytes_per_image' ? RESULT_BYTES_FACTOR * value : limit(value);

export interface CountComparison {
  /** What one seed should have given alike and did not, a sentence each. */
  differences: string[];
  /** What could not be compared, and why. */
  open: string[];
}

/** What one seed gives wherever it runs: which images, what became of each, what was found in them, how often each stage ran. */
function countsOf({ images, delivery, accuracy, stages, client }: ResultFile): Map<string, string> {
  const { count, bytes, sha256OfSet, failedByCode, rejected } = images;
  const stageCounts = Object.entries(stages).map(([name, stage]) => [`stages.${name}`, stage.count] as const);
  const found = Object.entries(accuracy ?? {}).map(
    ([name, value]) => [`accuracy.${name}`, typeof value === 'number' ? Number(value.toFixed(DIGITS)) : value] as const,
  );
  return new Map(
    [
      ['images.count', count] as const,
      ['images.bytes', bytes] as const,
      ['images.sha256OfSet', sha256OfSet] as const,
      ['images.rejected', rejected.length] as const,
      ['images.failedByCode', JSON.stringify(failedByCode)] as const,
      ['stages', stageCounts.length] as const,
      ['toasts', client.toasts] as const,
      ...Object.entries(delivery).map(([name, value]) => [`delivery.${name}`, value] as const),
      ...found,
      ...stageCounts,
    ].map(([name, value]) => [name, String(value)]),
  );
}

function compareExactly(one: ResultFile, other: ResultFile): string[] {
  const [a, b] = [countsOf(one), countsOf(other)];
  const differences = [...new Set([...a.keys(), ...b.keys()])]
    .filter((name) => a.get(name) !== b.get(name))
    .map((name) => `${name}: ${a.get(name) ?? 'none'} and ${b.get(name) ?? 'none'}`);
  const isNothing = (value: string | undefined) => value === undefined || value === '' || value === '0';
  const nothing = NEEDED.filter((name) => isNothing(a.get(name)) && isNothing(b.get(name)));
  return [...differences, ...nothing.map((name) => `${name}: nothing in both`)];
}

/**
 * Two runs of one scenario and seed in different environments: exact counts are equal, and those that depend on what came together are as
 * near as two equal runs are. Times are not compared.
 */
export function compareCounts(one: ResultFile, other: ResultFile): CountComparison {
  const differences = compareExactly(one, other);
  const open: string[] = [];
  const slow = tooSlow(one) ?? tooSlow(other);
  for (const { metric, name, of, limit } of RATCHET_METRICS) {
    if (!NEAR.has(metric)) continue;
    const [a, b] = [of(one), of(other)];
    if (a === null || b === null) differences.push(`${name}: ${a ?? 'not measured'} and ${b ?? 'not measured'}`);
    else if (slow !== undefined && SHARED.has(metric)) open.push(`${name}: ${slow}`);
    else if (a > most(metric, limit, b) || b > most(metric, limit, a)) differences.push(`${name}: ${a} and ${b}`);
  }
  const [a, b] = [one.client.bulkCalls, other.client.bulkCalls];
  if (a === 0 || b === 0 || Math.abs(a - b) > BULK_CALLS_APART) differences.push(`bulk calls: ${a} and ${b}`);
  return { differences, open };
}
