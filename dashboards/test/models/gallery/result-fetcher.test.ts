import { describe, expect, it } from 'vitest';
import { createResultFetcher, type ResultSource } from '../../../src/models/gallery/ResultFetcher.ts';
import { createFakeClock } from '../../fake-clock.ts';

/** A gallery of `count` images of which the first 40 are visible; results arrive 80 ms after they are asked for. */
function simulate(count: number, options: { pageImages?: number; scatter?: boolean } = {}) {
  const { clock, advance } = createFakeClock();
  const needs = new Set<number>();
  const calls: string[] = [];
  let open = false;
  let failNext = 0;
  const visible = Array.from({ length: 40 }, (_, i) => (options.scatter ? Math.floor((i * count) / 40) : i));
  const reply = async (kind: string, positions: number[]): Promise<void> => {
    calls.push(kind);
    await new Promise<void>((resolve) => clock.after(80, resolve));
    if (failNext > 0) {
      failNext--;
      throw new Error('network');
    }
    for (const position of positions) needs.delete(position);
  };
  const pageImages = options.pageImages ?? count;
  const source: ResultSource = {
    visibleNeeds: () => visible.filter((position) => needs.has(position)),
    batchNeeds: () => needs.size,
    batchOpen: () => open,
    fetchVisible: (positions) => reply('visible', positions),
    async fetchPage(_, cursor) {
      const from = Number(cursor ?? 0);
      await reply(
        'page',
        Array.from({ length: pageImages }, (__, i) => from + i),
      );
      return from + pageImages < count ? String(from + pageImages) : null;
    },
    hasRoom: () => true,
  };
  const fetcher = createResultFetcher(source, clock);
  /** A batch whose images complete evenly over `seconds`. */
  async function runBatch(seconds: number): Promise<void> {
    open = true;
    const windows = seconds * 10;
    for (let window = 0; window < windows; window++) {
      for (let i = Math.floor((window * count) / windows); i < Math.floor(((window + 1) * count) / windows); i++)
        needs.add(i);
      fetcher.wake();
      await advance(100);
    }
    open = false;
    fetcher.batchEnded('batch');
    fetcher.wake();
  }
  return { fetcher, runBatch, advance, calls, needs, failOnce: () => failNext++ };
}

describe('createResultFetcher', () => {
  it.each([
    { seconds: 15, scatter: false },
    { seconds: 15, scatter: true },
    { seconds: 60, scatter: false },
    { seconds: 60, scatter: true },
  ])(
    'makes at most 5 calls for 1,000 images in $seconds s and 2 for a burst of 2 s (scattered: $scatter)',
    async (run) => {
      const { runBatch, advance, calls, needs } = simulate(1000, { scatter: run.scatter });
      await runBatch(run.seconds);
      await advance(5000);
      expect(needs.size).toBe(0);
      expect(calls.length).toBeLessThanOrEqual(5);
      const before = calls.length;
      await runBatch(2);
      await advance(5000);
      expect(needs.size).toBe(0);
      expect(calls.length - before).toBeLessThanOrEqual(2);
    },
  );

  it('asks for the first results of a batch as soon as ever, though another has just ended', async () => {
    const { runBatch, advance, calls, needs } = simulate(1000);
    await runBatch(60);
    await advance(1000);
    const before = calls.length;
    void runBatch(60);
    await advance(1000);
    expect(calls.slice(before)).toEqual(['visible']);
    expect(needs.size).toBeGreaterThan(0);
    await advance(70_000);
  });

  it('asks at once for what is visible when the images of a batch end after the batch, as from the cache; for later ones less and less often', async () => {
    const { fetcher, advance, calls, needs } = simulate(1000, { scatter: true });
    fetcher.batchEnded('batch');
    await advance(190);
    expect(calls).toEqual([]);
    const end = (from: number, to: number) => {
      for (let i = from; i < to; i++) needs.add(i);
      fetcher.wake();
    };
    end(0, 500);
    await advance(1);
    expect(calls).toEqual(['visible']);
    await advance(100);
    for (let from = 500; from < 1000; from += 50) {
      end(from, from + 50);
      await advance(100);
    }
    await advance(5000);
    // what nobody sees is asked for when somebody does
    expect(needs.size).toBe(1000 - 40);
    expect(calls.length).toBeLessThanOrEqual(5);
  });

  it('asks for what is visible half a second after it completed, and for the rest in the moment in which the batch ends', async () => {
    const { runBatch, calls } = simulate(1000);
    await runBatch(1);
    expect(calls).toEqual(['visible', 'page']);
  });

  it('reads the missing results of an ended batch page by page until nothing is missing', async () => {
    const { runBatch, advance, calls, needs } = simulate(1000, { pageImages: 300 });
    await runBatch(0.1);
    await advance(1000);
    expect(calls).toEqual(['page', 'page', 'page', 'page']);
    expect(needs.size).toBe(0);
  });

  it('asks for what is visible first when a batch is larger than a page', async () => {
    const { runBatch, advance, calls } = simulate(5000);
    await runBatch(0.1);
    await advance(1000);
    expect(calls).toEqual(['visible', 'page']);
  });

  it('asks at once after a rest, and once more when scrolling has come to rest', async () => {
    const { fetcher, advance, calls, needs } = simulate(1000);
    for (let i = 0; i < 1000; i++) needs.add(i);
    for (let i = 0; i < 5; i++) {
      fetcher.viewportChanged();
      await advance(60);
      for (let k = 0; k < 10; k++) needs.add(k);
    }
    expect(calls).toEqual(['visible']);
    await advance(300);
    expect(calls).toEqual(['visible', 'visible']);
  });

  it('tries again later when a request fails, and says what is wrong meanwhile', async () => {
    const { fetcher, runBatch, advance, needs, failOnce } = simulate(1000);
    failOnce();
    await runBatch(0.1);
    await advance(200);
    expect(fetcher.error.value).toBe('network');
    await advance(2000);
    expect(fetcher.error.value).toBeNull();
    expect(needs.size).toBe(0);
  });

  it('asks for nothing when nothing is missing', async () => {
    const { fetcher, advance, calls } = simulate(1000);
    fetcher.wake();
    fetcher.viewportChanged();
    fetcher.batchEnded('batch');
    await advance(10_000);
    expect(calls).toEqual([]);
  });
});
