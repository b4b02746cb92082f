import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickButton, measureClick } from '../../../src/drivers/browser/input.ts';
import { rendererPssBytes, retainedBytes } from '../../../src/drivers/browser/memory.ts';
import { isBulk } from '../../../src/drivers/browser/network.ts';
import { openObservedPage, type ObservedPage } from '../../../src/drivers/browser/page.ts';
import { onPlainPage, type PlainPage } from '../../../src/drivers/browser/plain-page.ts';
import { settleOf, type Settle } from '../../../src/drivers/browser/settle.ts';
import { launchBrowser, type LaunchedBrowser } from '../../../src/environment/browser.ts';
import { ENDLESS, startFakeGallery } from './fake-gallery.ts';

const EXPECTED = new Map(
  Array.from({ length: 40 }, (_, index) => [`i${index}`, { status: 'completed', polygonCount: 2 }]),
);
let tempDir: string;
let launched: LaunchedBrowser;

beforeAll(async () => {
  tempDir = await mkdtemp(join(tmpdir(), 'segbench-test-'));
  launched = await launchBrowser({ tempDir, env: {}, log: () => {} });
});
afterAll(async () => {
  await launched?.close();
  await rm(tempDir, { recursive: true, force: true });
});

interface Outcome {
  page: ObservedPage;
  settle: Settle;
  /** From the frame's departure to the end of settling. */
  settleMs: number;
}

/** Opens a fake gallery that does `script` with a frame, presses its button and waits until it settles, or for `patienceMs`. */
async function withGallery(
  script: string,
  check: (outcome: Outcome) => Promise<void> | void,
  patienceMs = 20_000,
): Promise<void> {
  const gallery = await startFakeGallery(script);
  try {
    const page = await openObservedPage({ browser: launched.browser, baseUrl: gallery.url, path: '/', key: 'k' });
    try {
      await page.arm(40);
      const reply = page.nextReply<{ id: string }>('POST', /batches$/, 10_000);
      await clickButton(page, 'Segment all');
      expect(await reply).toMatchObject({ id: 'b' });
      const until = Date.now() + patienceMs;
      let settle: Settle;
      let t0: number;
      do {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const dump = await page.dump();
        t0 = page.toPage(gallery.sentAt[0] ?? Infinity);
        settle = settleOf(dump, { t0, batchId: 'b', expected: EXPECTED, overlays: true, quietMs: 500 });
      } while (!settle.settled && Date.now() < until);
      await check({ page, settle, settleMs: settle.t1 - t0 });
    } finally {
      await page.close();
    }
  } finally {
    gallery.close();
  }
}

describe('openObservedPage', () => {
  it('sees a page settle, its toast, its requests and its frames', async () => {
    const script = `toast('b'); fetch('/api/segmentation/batch/results').then(finish);`;
    await withGallery(script, async ({ page, settle, settleMs }) => {
      expect(settle).toMatchObject({ settled: true });
      expect(settleMs).toBeGreaterThan(0);
      const dump = await page.dump();
      expect(dump.toasts).toHaveLength(1);
      expect(await page.firstPaint()).toBeGreaterThan(0);
      expect(dump.firstCellAt).toBeGreaterThan(0);
      expect(page.network.all().filter(isBulk)).toHaveLength(1);
      expect(page.frames.terminalOf('b').size).toBe(40);
      expect(page.frames.sequenceGaps()).toBe(0);
      expect(await measureClick(page)).toBeLessThan(200);
      expect(page.errors).toEqual([]);
    });
  });

  it('counts the bytes of a reply that the page reads as a stream and leaves', async () => {
    const read = `(async () => {
      const reader = (await fetch('${ENDLESS.path}')).body.getReader();
      for (let left = ${ENDLESS.bytes}; left > 0; ) left -= (await reader.read()).value.length;
      await reader.cancel();
    })()`;
    await withGallery(`${read}.then(finish)`, ({ page, settle }) => {
      expect(settle).toMatchObject({ settled: true });
      const [request] = page.network.all().filter(isBulk);
      expect(request?.wireBytes).toBeGreaterThanOrEqual(ENDLESS.bytes);
      expect(request?.wireBytes).toBeLessThan(ENDLESS.bytes + 1_000);
    });
  });

  it('waits for the browser to tell of the first paint, and says null of a page that paints nothing', async () => {
    const gallery = await startFakeGallery('');
    const open = (script: string) =>
      openObservedPage({ browser: launched.browser, baseUrl: gallery.url, path: '/', key: 'k', script });
    try {
      const asked = await open('globalThis.asked = segbenchRecorder.firstPaint(20_000);');
      expect(await asked.evaluate<number | null>('asked')).toBeGreaterThan(0);
      expect(await asked.evaluate('asked')).toBe(await asked.firstPaint());
      await asked.close();
      const blank = await open(
        `const sheet = new CSSStyleSheet(); sheet.replaceSync('* { display: none }'); document.adoptedStyleSheets = [sheet];`,
      );
      expect(await blank.firstPaint(300)).toBeNull();
      await blank.close();
    } finally {
      gallery.close();
    }
  });

  it('measures a page slow that blocks its main thread before it stamps anything', async () => {
    const block = `const end = performance.now() + 2500; while (performance.now() < end); finish();`;
    await withGallery(block, ({ settle, settleMs }) => {
      expect(settle.settled).toBe(true);
      expect(settleMs).toBeGreaterThan(2400);
    });
  });

  it('measures a page slow that shows the end at once and goes on changing', async () => {
    const busy = `finish(); let n = 0; const timer = setInterval(() => { document.title = String(n); if (++n === 25) clearInterval(timer); }, 100);`;
    await withGallery(busy, ({ settleMs }) => expect(settleMs).toBeGreaterThan(2300));
  });

  it('counts every toast node ever created, replaced and removed ones too', async () => {
    const script = `finish(); toast('b').remove(); toast('b'); document.body.insertAdjacentHTML('beforeend', '<div><p data-toast="b"></p></div>');`;
    await withGallery(script, async ({ page }) => expect((await page.dump()).toasts).toHaveLength(3));
  });

  it('does not settle while a visible cell is wrong', async () => {
    const wrong = `finish(); box.children[1].dataset.polygonCount = '9';`;
    await withGallery(
      wrong,
      ({ settle }) => {
        expect(settle.settled).toBe(false);
        expect(settle.reason).toContain('cell i1 shows completed with 9 polygons');
      },
      1500,
    );
  });

  it('sees every cell while it scrolls, and memory that is kept', async () => {
    const keep = `finish(); globalThis.kept = new Uint8Array(64e6).fill(1);`;
    await withGallery(keep, async ({ page }) => {
      const { cells, intervals } = await page.sweep(300, true);
      expect(new Map(cells).size).toBe(40);
      expect(intervals.length).toBeGreaterThan(5);
      expect(new Map(await page.walk()).size).toBe(40);
      expect(await retainedBytes(page)).toBeGreaterThan(64e6);
      expect(await rendererPssBytes(launched.browser)).toBeGreaterThan(64e6);
    });
  });
});

describe('onPlainPage', () => {
  const onPlain = (kind: Parameters<typeof onPlainPage>[1], look: (plain: PlainPage) => Promise<void>) =>
    onPlainPage(launched.browser, kind, look);
  /** Which rows of pictures have another colour than they were made with: they have been drawn anew. */
  const rowsAnew = ({ page }: PlainPage) =>
    page.evaluate(() => {
      const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
      const colour = () => String(context.getImageData(0, 0, 1, 1).data);
      return [...document.querySelectorAll('canvas')].map((canvas, row) => {
        context.fillStyle = `hsl(${row * 49} 40% 40%)`;
        context.fillRect(0, 0, 1, 1);
        const made = colour();
        context.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
        return colour() !== made;
      });
    });

  it('scrolls pictures, draws rows of them anew, and tells the time between frames, longer ones where the browser is held up', async () => {
    await onPlain('scrolled', async (plain) => {
      const intervals = await plain.sweep(1000, true);
      expect(intervals.length).toBeGreaterThan(5);
      const rows = await rowsAnew(plain);
      expect(rows.filter(Boolean).length).toBeGreaterThan(2);
      expect(rows.length).toBeGreaterThan(6);
      const { page } = plain;
      expect(await page.evaluate('document.scrollingElement.scrollTop')).toBeGreaterThan(1000);
      await page.evaluate(() => {
        addEventListener('scroll', () => {
          const until = performance.now() + 60;
          while (performance.now() < until);
        });
      });
      expect(Math.max(...(await plain.sweep(300, false)))).toBeGreaterThan(55);
    });
  });

  it('draws rows that are in view anew, one after the other, whether or not it is scrolled', async () => {
    await onPlain('told', async (plain) => {
      await expect.poll(async () => (await rowsAnew(plain)).filter(Boolean).length, { timeout: 10_000 }).toBe(5);
      expect((await rowsAnew(plain)).slice(0, 5)).not.toContain(false);
    });
  });

  it('has a picture that is dragged by the pointer, and zoomed by the wheel', async () => {
    await onPlain('moved', async ({ page }) => {
      const placed = () => page.evaluate(() => document.querySelector('canvas')!.style.transform);
      const { mouse } = page;
      await mouse.move(700, 500);
      expect(await placed()).toBe('');
      await mouse.down();
      await mouse.move(740, 440);
      await expect.poll(placed).toBe('translate(100px, -10px) scale(1)');
      await mouse.up();
      await mouse.move(10, 10);
      await mouse.wheel({ deltaY: -100 });
      await expect.poll(placed).toMatch(/^translate\(100px, -10px\) scale\(1\.19/);
    });
  });

  it('leaves no tab, whatever comes of the look', async () => {
    const before = (await launched.browser.pages(true)).length;
    await expect(onPlain('moved', () => Promise.reject(new Error('stopped')))).rejects.toThrow('stopped');
    expect((await launched.browser.pages(true)).length).toBe(before);
  });
});
