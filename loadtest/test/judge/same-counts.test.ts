import { describe, expect, it } from 'vitest';
import type { ResultFile } from '../../src/contract.ts';
import { compareCounts } from '../../src/judge/same-counts.ts';
import { resultOf } from '../report/results.ts';
import { emptyClientSummary } from '../../src/run/bench.ts';

/** 1,000 images that cost 0.25 statements each beside those that they share. */
const WINDOWS = { frames: 100, durationMs: 25_000 };
const DATABASE = { queries: 50 + 8 * 100 + 8.5 * 160 + 6 * 160 + 250, queriesPerImage: 3.42, claims: 160, writes: 160 };

describe('compareCounts', () => {
  const one = resultOf({ database: DATABASE, batchEvents: WINDOWS });
  const compare = (change: (other: ResultFile) => void) => {
    const other = structuredClone(one);
    change(other);
    return { there: compareCounts(one, other), back: compareCounts(other, one) };
  };

  it('finds none between two runs that differ in times, environment and what came together', () => {
    const { there, back } = compare((other) => {
      other.environment.provider = 'testcontainers';
      for (const stage of Object.values(other.stages)) stage.p95Ms *= 3;
      other.startedAt = other.finishedAt;
      if (other.accuracy) other.accuracy.meanIoU += 1e-15;
      other.database = { ...DATABASE, queries: DATABASE.queries + 400 };
      other.batchEvents = { frames: 120, durationMs: 60_000 };
      other.client.bulkCalls += 3;
      other.client.resultBytesWire *= 1.09;
      other.client.apiCalls = { ...other.client.apiCalls, 'POST /api/segmentation/batch/results': 6 };
    });
    expect(there).toEqual({ differences: [], open: [] });
    expect(back).toEqual({ differences: [], open: [] });
  });

  it.each([
    ['an image less', (r) => void r.images.count--, /^images.count: 1000 and 999$/],
    ['another set of images', (r) => void (r.images.sha256OfSet = 'ee'), /^images.sha256OfSet: /],
    [
      'an event more',
      (r) => void r.delivery.terminalEventsReceived++,
      /^delivery.terminalEventsReceived: 1000 and 1001$/,
    ],
    ['a duplicate', (r) => void r.delivery.duplicates++, /^delivery.duplicates: 0 and 1$/],
    ['a failure by code', (r) => void (r.images.failedByCode = { TIMEOUT: 1 }), /^images.failedByCode: \{\} and /],
    ['a stage that ran once more', (r) => void Object.values(r.stages)[0]!.count++, /^stages\.\w+: \d+ and \d+$/],
    ['other accuracy', (r) => void (r.accuracy = { ...r.accuracy!, ap50: 0.1 }), /^accuracy.ap50: /],
    ['a toast more', (r) => void r.client.toasts++, /^toasts: 2 and 3$/],
    [
      'one query more for each image',
      (r) => void (r.database = { ...DATABASE, queries: DATABASE.queries + 1000 }),
      /^queries per image, .*: 0.25 and 1.25$/,
    ],
    ['queries that nobody counted', (r) => void delete r.database, /^queries per image, .*: 0.25 and not measured$/],
    [
      'every result sent once more than three times',
      (r) => void (r.client.resultBytesWire *= 3.2),
      /^result bytes .*: 4000 and 12800$/,
    ],
    [
      'a call for each image',
      (r) => void (r.client.apiCalls = { ...r.client.apiCalls, one: 1000 }),
      /^API calls of the page: 6 and 1006$/,
    ],
    ['four bulk calls more', (r) => void (r.client.bulkCalls += 4), /^bulk calls: 4 and 8$/],
  ] as [string, (r: ResultFile) => void, RegExp][])(
    'names the count, in either order, when one run has %s',
    (_, change, sentence) => {
      const { there, back } = compare(change);
      expect(there).toEqual({ differences: [expect.stringMatching(sentence)], open: [] });
      expect(back.differences).toHaveLength(1);
    },
  );

  it('names a stage that one of them lacks', () => {
    const { there } = compare((other) => delete other.stages['infer']);
    expect(there.differences).toEqual(['stages: 3 and 2', 'stages.infer: 1000 and none']);
  });

  it('is no agreement when both counted nothing', () => {
    const blank: ResultFile = {
      ...one,
      images: { ...one.images, count: 0, bytes: 0, sha256OfSet: '' },
      delivery: { ...one.delivery, completed: 0 },
      accuracy: null,
      stages: {},
      client: emptyClientSummary(),
    };
    delete blank.database;
    const { differences } = compareCounts(blank, structuredClone(blank));
    for (const name of ['images.bytes', 'images.sha256OfSet', 'delivery.completed', 'accuracy.images', 'stages'])
      expect(differences).toContain(`${name}: nothing in both`);
    expect(differences).toContain('bulk calls: 0 and 0');
    expect(differences.join('\n')).toMatch(/^queries per image.*: not measured and not measured$/m);
  });

  it('says what a machine that is too slow leaves open, and compares the rest', () => {
    const { there, back } = compare((other) => {
      other.batchEvents = { frames: 900, durationMs: 90_000 };
      other.client.resultBytesWire /= 2;
      other.client.toasts++;
    });
    for (const { differences, open } of [there, back]) {
      expect(differences).toEqual([expect.stringMatching(/^toasts: /)]);
      expect(open).toEqual([
        expect.stringMatching(/^queries per image.*: the machine was too slow: 1.1 images/),
        expect.stringMatching(/^result bytes .*: the machine was too slow/),
      ]);
    }
  });
});
