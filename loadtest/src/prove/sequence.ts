import type { EventRecord } from './records.ts';

/**
 * Breaks in the target's own numbering, in the order of arrival and across connections: numbers skipped, repeated, out of order, or
 * missing on some events of a target that numbers the others. `numbered`: whether any event has a number.
 */
export function sequenceGapsOf(events: readonly EventRecord[]): { numbered: boolean; gaps: string[] } {
  const gaps: string[] = [];
  const highest = new Map<string, number>();
  const numbered = events.some(({ sequence }) => sequence !== undefined);
  if (!numbered) return { numbered, gaps };
  for (const { sequence, stream = '', imageId, status } of events) {
    if (sequence === undefined) {
      gaps.push(`${status} of ${imageId} has no number`);
      continue;
    }
    const before = highest.get(stream);
    if (before === undefined || sequence === before + 1) highest.set(stream, sequence);
    else if (sequence > before) {
      gaps.push(`after ${before} came ${sequence}`);
      highest.set(stream, sequence);
    } else gaps.push(`${sequence} came after ${before}: again, or out of order`);
  }
  return { numbered, gaps };
}
