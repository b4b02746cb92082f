import { expect, it } from 'vitest';
import { createShown } from '../../src/events/shown.ts';
import type { PastSpan } from '../../src/traces/traces.ts';

const place = (span: number) => `00-${'a'.repeat(32)}-${String(span).padStart(16, '0')}-01`;
const frame = (...seqs: number[]) => ({
  frameNo: seqs[0]!,
  from: seqs[0]!,
  to: seqs.at(-1)!,
  text: JSON.stringify({
    type: 'events',
    events: seqs.map((seq) => ({
      seq,
      imageId: `i${seq}`,
      status: 'completed',
      // every second one is traced
      ...(seq % 2 === 0 && { traceparent: place(seq) }),
    })),
  }),
});
function setUp() {
  let now = 1000;
  const spans: PastSpan[] = [];
  const shown = createShown({ past: (span) => spans.push(span) }, () => now);
  return { shown, spans, at: (ms: number) => void (now = ms) };
}
const seen = (seq: unknown) => Buffer.from(JSON.stringify({ type: 'shown', seq }));

it('makes a span of each traced event from its frame to the page’s word, by one clock', () => {
  const { shown, spans, at } = setUp();
  shown.sent(frame(1, 2, 3, 4));
  at(1100);
  shown.sent(frame(5, 6));
  at(1180);
  shown.said(seen(4));
  expect(spans.map(({ parent, startMs, endMs }) => [parent, startMs, endMs])).toEqual([
    [place(2), 1000, 1180],
    [place(4), 1000, 1180],
  ]);
  at(1200);
  shown.said(seen(6));
  shown.said(seen(6));
  expect(spans).toHaveLength(3);
  expect(spans[2]).toMatchObject({
    name: 'show in the browser',
    role: 'api',
    parent: place(6),
    startMs: 1100,
    endMs: 1200,
    attributes: { 'segbench.image.id': 'i6' },
  });
});

it('passes over whatever else a client says', () => {
  const { shown, spans } = setUp();
  shown.sent(frame(2));
  for (const data of ['', '{', 'null', '[]', '{"type":"shown"}', '{"type":"shown","seq":"9"}', '{"type":"x","seq":9}'])
    shown.said(data);
  shown.said(seen(1.5));
  shown.said(Buffer.from([0xff, 0xfe]));
  expect(spans).toEqual([]);
});

it('makes spans of a part of a frame, and of the rest when that is said', () => {
  const { shown, spans } = setUp();
  shown.sent(frame(1, 2, 3, 4, 5, 6));
  shown.said(seen(3));
  shown.said(seen(2));
  expect(spans.map(({ parent }) => parent)).toEqual([place(2)]);
  shown.said(seen(5));
  // this one claims more than was sent
  shown.said(seen(Number.MAX_SAFE_INTEGER));
  shown.sent(frame(7, 8));
  shown.said(seen(8));
  expect(spans.map(({ parent }) => parent)).toEqual([2, 4, 6, 8].map(place));
});

it('waits for the latest thousand images, and hundred frames, of one reader at most', () => {
  const many = setUp();
  for (let from = 1; from < 4000; from += 100)
    many.shown.sent(frame(...Array.from({ length: 100 }, (_, index) => from + index)));
  many.shown.said(seen(10_000));
  expect(many.spans).toHaveLength(1000);
  expect(many.spans[0]!.parent).toBe(place(2002));
  const small = setUp();
  for (let seq = 2; seq <= 500; seq += 2) small.shown.sent(frame(seq));
  small.shown.said(seen(500));
  expect(small.spans).toHaveLength(100);
});
