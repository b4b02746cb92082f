import { describe, expect, it } from 'vitest';
import { countDifferences } from '../../src/judge/same-counts.ts';
import { resultOf } from '../report/results.ts';

describe('countDifferences', () => {
  const one = resultOf();

  it('finds none between two runs that differ in times and environment only', () => {
    const other = structuredClone(one);
    other.environment.provider = 'testcontainers';
    for (const stage of Object.values(other.stages)) stage.p95Ms *= 3;
    other.startedAt = other.finishedAt;
    if (other.accuracy) other.accuracy.meanIoU += 1e-15;
    expect(countDifferences(one, other)).toEqual([]);
  });

  it.each([
    ['an image less', (r: typeof one) => void r.images.count--, /^images.count: 1000 and 999$/],
    ['another set of images', (r: typeof one) => void (r.images.sha256OfSet = 'ee'), /^images.sha256OfSet: /],
    [
      'an event more',
      (r: typeof one) => void r.delivery.terminalEventsReceived++,
      /^delivery.terminalEventsReceived: 1000 and 1001$/,
    ],
    ['a duplicate', (r: typeof one) => void r.delivery.duplicates++, /^delivery.duplicates: 0 and 1$/],
    [
      'a failure by code',
      (r: typeof one) => void (r.images.failedByCode = { TIMEOUT: 1 }),
      /^images.failedByCode: \{\} and /,
    ],
    [
      'a stage that ran once more',
      (r: typeof one) => void Object.values(r.stages)[0]!.count++,
      /^stages\.\w+: \d+ and \d+$/,
    ],
    ['a stage less', (r: typeof one) => void delete r.stages[Object.keys(r.stages)[0]!], /^stages\.\w+: \d+ and none$/],
    ['other accuracy', (r: typeof one) => void (r.accuracy = { ...r.accuracy!, ap50: 0.1 }), /^accuracy.ap50: /],
  ])('names the count when one run has %s', (_, doctor, sentence) => {
    const other = structuredClone(one);
    doctor(other);
    const [difference, ...rest] = countDifferences(one, other);
    expect(difference).toMatch(sentence);
    expect(rest).toEqual([]);
  });
});
