import fc from 'fast-check';
import type { Document } from '../../../src/openapi/document.ts';
import { assemble, partsOf, type Entry, type FuzzRequest, type Keys } from './assemble.ts';
import { FAULTS, type Fault } from './faults.ts';
import type { Known } from './values.ts';

const RIGHT = 5;

function entriesOf(document: Document, leaveOut: ReadonlySet<string>): Entry[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId = '' }]) => !leaveOut.has(operationId))
      .map(([method, operation]) => ({ path, method, operation })),
  );
}

/**
 * `count` requests over the whole document, always the same for a seed: first each operation once as it should be and once in each
 * way in which it can be wrong, then at random; of these about a third are right, the others have exactly one thing wrong.
 */
export function drawRequests(
  document: Document,
  known: Known,
  keys: Keys,
  { leaveOut, seed, count }: { leaveOut: ReadonlySet<string>; seed: number; count: number },
): FuzzRequest[] {
  const entries = entriesOf(document, leaveOut);
  const right = (entry: Entry) => partsOf(entry, known).map((parts) => assemble(entry, parts, keys));
  const wrong = (entry: Entry, fault: Fault) =>
    partsOf(entry, known).chain((parts) => fault(entry, parts, keys, known) ?? fc.constant(null));
  const any = fc.constantFrom(...entries).chain((entry) =>
    partsOf(entry, known).chain((parts) => {
      const faults = FAULTS.flatMap(([weight, fault]) => {
        const arbitrary = fault(entry, parts, keys, known);
        return arbitrary ? [{ weight, arbitrary }] : [];
      });
      return fc.oneof({ weight: RIGHT, arbitrary: fc.constant(assemble(entry, parts, keys)) }, ...faults);
    }),
  );
  const each = entries.flatMap((entry) => [right(entry), ...FAULTS.map(([, fault]) => wrong(entry, fault))]);
  const covered = each
    .flatMap((arbitrary, index) => fc.sample<FuzzRequest | null>(arbitrary, { seed: seed + index, numRuns: 1 }))
    .filter((request) => request !== null);
  const others = fc.sample(any, { seed, numRuns: Math.max(1, count - covered.length) });
  return [...covered, ...others].slice(0, count);
}
