import { describe, expect, it } from 'vitest';
import { violationsOf, type Observed } from '../../src/faults/invariants.ts';

type Seen = { -readonly [Name in keyof Observed]: Observed[Name] };
const item = (imageId: string, over: Partial<Observed['items'][number]> = {}): Observed['items'][number] => ({
  batchId: 'b',
  imageId,
  status: 'completed',
  errorCode: null,
  results: 1,
  crashes: 0,
  ...over,
});
/** Two images, one completed and one failed, of which every place says the same. */
function clean(): Seen {
  return {
    acknowledged: [
      { id: 'a', name: 'a.png' },
      { id: 'z', name: 'z.png' },
    ],
    images: [
      { id: 'a', status: 'completed', errorCode: null },
      { id: 'z', status: 'failed', errorCode: 'CRASHED' },
    ],
    items: [item('a'), item('z', { status: 'failed', errorCode: 'CRASHED', results: 0, crashes: 2 })],
    batches: [
      {
        id: 'b',
        status: 'completed',
        total: 2,
        counts: { queued: 0, processing: 0, completed: 1, failed: 1, cancelled: 0 },
      },
    ],
    projectCounts: { completed: 1, failed: 1 },
    client: {
      gaps: [],
      epochs: ['e'],
      snapshots: 0,
      last: new Map([
        ['a', { status: 'completed', batchId: 'b' }],
        ['z', { status: 'failed', batchId: 'b' }],
      ]),
      terminal: new Map([
        ['b/a', 1],
        ['b/z', 1],
      ]),
    },
    page: { toasts: { b: 1 }, sequenceGaps: 0, terminal: new Map([['b/a', 1]]) },
    doomed: [{ imageId: 'z', code: 'CRASHED' }],
    orphaned: 0,
  };
}
const found = (change: (seen: Seen) => Partial<Seen>) => {
  const seen = clean();
  return violationsOf({ ...seen, ...change(seen) }).map(({ budget, imageId, batchId, detail }) =>
    [budget, imageId, batchId, detail].filter(Boolean).join(' '),
  );
};

describe('violationsOf', () => {
  it('finds nothing where every place says the same', () => {
    expect(violationsOf(clean())).toEqual([]);
    const { page, ...without } = clean();
    void page;
    expect(violationsOf(without)).toEqual([]);
  });

  it.each<[name: string, change: (seen: Seen) => Partial<Seen>, expected: RegExp]>([
    [
      'an image that was answered and has no row',
      (seen) => ({ acknowledged: [...seen.acknowledged, { id: 'x', name: 'x.png' }] }),
      /fault_images_lost x x\.png was answered with 201 and is not there/,
    ],
    [
      'an image that never ends',
      ({ images }) => ({ images: images.map((one) => (one.id === 'a' ? { ...one, status: 'queued' } : one)) }),
      /fault_images_lost a a\.png is still queued/,
    ],
    [
      'an item that never ends',
      ({ items }) => ({ items: items.map((one) => (one.imageId === 'a' ? { ...one, status: 'processing' } : one)) }),
      /fault_images_lost a b is still processing/,
    ],
    [
      'a failure without a code',
      ({ images }) => ({ images: images.map((one) => ({ ...one, errorCode: null })) }),
      /fault_images_lost z z\.png failed without a code/,
    ],
    [
      'an image that should have been left alone',
      ({ images }) => ({
        images: images.map((one) => ({ ...one, status: 'completed', errorCode: null })),
      }),
      /fault_images_lost z should have failed with CRASHED, is completed/,
    ],
    [
      'a second row of one upload',
      ({ images }) => ({ images: [...images, { id: 'y', status: 'uploaded', errorCode: null }] }),
      /fault_duplicates y a row that no answer named/,
    ],
    [
      'two results of one image',
      ({ items }) => ({ items: items.map((one) => ({ ...one, results: 2 * one.results })) }),
      /fault_duplicates a b 2 results/,
    ],
    [
      'a completed image without a result',
      ({ items }) => ({ items: items.map((one) => ({ ...one, results: 0 })) }),
      /fault_duplicates a b 0 results/,
    ],
    [
      'a second terminal event',
      ({ client }) => ({ client: { ...client, terminal: new Map([...client.terminal, ['b/a', 2]]) } }),
      /fault_duplicates a b 2 terminal events at the client/,
    ],
    [
      'a second terminal event at the page',
      () => ({ page: { toasts: {}, sequenceGaps: 0, terminal: new Map([['b/a', 3]]) } }),
      /fault_duplicates a b 3 terminal events at the page/,
    ],
    [
      'a counter of a batch',
      ({ batches }) => ({ batches: batches.map((one) => ({ ...one, counts: { ...one.counts, completed: 2 } })) }),
      /fault_counter_mismatches b the batch counts 2 completed, rows: 1/,
    ],
    [
      'a batch that is never over',
      ({ batches }) => ({ batches: batches.map((one) => ({ ...one, status: 'running' })) }),
      /fault_counter_mismatches b nothing is left to do and the batch is running/,
    ],
    [
      'a batch with too few rows',
      ({ batches }) => ({ batches: batches.map((one) => ({ ...one, total: 3 })) }),
      /fault_counter_mismatches b the batch has 3 images, rows: 2/,
    ],
    [
      'a counter of the project',
      () => ({ projectCounts: { completed: 1, failed: 1, queued: 1 } }),
      /fault_counter_mismatches the project counts 1 queued, rows: 0/,
    ],
    [
      'a gap',
      ({ client }) => ({ client: { ...client, gaps: ['after 1 came 3 to 4'] } }),
      /fault_sequence_gaps after 1 came 3 to 4/,
    ],
    [
      'a snapshot where a replay was asked for',
      ({ client }) => ({ client: { ...client, snapshots: 1 } }),
      /fault_sequence_gaps 1 snapshots/,
    ],
    [
      'a numbering that started anew',
      ({ client }) => ({ client: { ...client, epochs: ['e', 'f'] } }),
      /fault_sequence_gaps the numbering started anew/,
    ],
    [
      'a client that has an old state',
      ({ client }) => ({
        client: { ...client, last: new Map([...client.last, ['a', { status: 'processing', batchId: 'b' }]]) },
      }),
      /fault_sequence_gaps a is completed, and the client has processing/,
    ],
    [
      'an end that the client was not told of',
      ({ client }) => ({ client: { ...client, terminal: new Map([['b/a', 1]]) } }),
      /fault_sequence_gaps z b ended, and the client was never told/,
    ],
    [
      'gaps at the page',
      () => ({ page: { toasts: {}, sequenceGaps: 2, terminal: new Map() } }),
      /fault_sequence_gaps 2 gaps in what the page was sent/,
    ],
    [
      'two toasts of one batch',
      () => ({ page: { toasts: { b: 2 }, sequenceGaps: 0, terminal: new Map() } }),
      /fault_toasts_per_batch b 2 toasts/,
    ],
    [
      'an image that was not left alone',
      ({ items }) => ({ items: items.map((one) => (one.imageId === 'z' ? { ...one, crashes: 5 } : one)) }),
      /fault_crashes_per_image z b took 5 processes with it/,
    ],
    ['a leak of the outbox', () => ({ orphaned: 7 }), /fault_orphaned_images 7 images in neither outbox nor queue/],
  ])('finds %s', (_, change, expected) => {
    const violations = found(change);
    expect(violations.filter((text) => expected.test(text))).toHaveLength(1);
  });

  it('counts each surplus event', () => {
    const seen = clean();
    const client = { ...seen.client, terminal: new Map([...seen.client.terminal, ['b/a', 4]]) };
    expect(violationsOf({ ...seen, client }).map(({ count }) => count)).toEqual([3]);
  });
});
