import type { KeyInput, Page, Protocol } from 'puppeteer-core';
import { describe, expect, it, vi } from 'vitest';
import { faultsOf } from './accessible.ts';
import { COUNT, FAILED, galleryBench, segmentAll, toasts, truthOf, untilRight, wrongCells } from './gallery-page.ts';

const { openPage } = galleryBench();

describe('gallery', () => {
  it('follows a batch with one toast, few bulk requests and an overlay on every completed cell', async () => {
    const { project, server, page, errors } = await openPage('', { traced: true });
    await segmentAll(page);
    const cells = await untilRight(page, project);
    expect(cells.wrong).toBe(0);
    // it says of traced images that they are on the screen, in order and once a frame at most
    const shown = server.said.map((text) => (JSON.parse(text) as { type: 'shown'; seq: number }).seq);
    expect(shown.at(-1)).toBe(project.seq);
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
    expect(cells.seen).toBeGreaterThan(20);
    expect(cells.all).toBeLessThan(100);
    expect(await toasts(page)).toBe(1);
    expect(await page.$eval('[data-toast]', (node) => node.textContent)).toContain(
      `${COUNT} images: ${COUNT - FAILED} done, ${FAILED} failed`,
    );
    const carrying = server.requests.filter((route) => /segmentation|overlay/.test(route));
    expect(carrying.length).toBeLessThanOrEqual(10);
    expect(carrying.every((route) => route === 'POST /api/segmentation/batch/results')).toBe(true);
    expect(await faultsOf(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('scrolls what is drawn already, and does not draw the list anew for each frame', async () => {
    const { page } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    const cdp = await page.createCDPSession();
    await cdp.send('DOM.enable');
    let layers: Protocol.LayerTree.Layer[] = [];
    cdp.on('LayerTree.layerTreeDidChange', (event) => (layers = event.layers ?? layers));
    await cdp.send('LayerTree.enable');
    await page.$eval('[data-gallery-grid]', (grid) => grid.scrollBy(0, 100));
    const attributesOf = async ({ backendNodeId }: Protocol.LayerTree.Layer): Promise<string[]> =>
      (await cdp.send('DOM.describeNode', { backendNodeId: backendNodeId! })).node.attributes ?? [];
    await vi.waitFor(async () => {
      const own = (await Promise.all(layers.filter(({ backendNodeId }) => backendNodeId).map(attributesOf))).flat();
      // A list without a layer of its own is painted into the page's, words below a canvas into ones of their own.
      expect(own).toContain('data-gallery-grid');
      expect(own.filter((attribute) => /^(cell|words)$/.test(attribute))).toEqual([]);
    }, 5000);
    // One that is drawn on directly is copied for each frame.
    await page.locator('[data-action="segment-all"]').click();
    await page.waitForSelector('[data-overlay="drawn"]');
    const drawnOn = await page.$$eval('.grid-row:has([data-overlay="drawn"]) canvas', (canvases) => [
      canvases.length > 0,
      canvases.filter((canvas) => canvas.getContext('2d') !== null).length,
    ]);
    expect(drawnOn).toEqual([true, 0]);
  });

  it('shows the same state after its socket was cut in the middle of a batch', async () => {
    const { project, server, page } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    await page.locator('[data-action="segment-all"]').click();
    await page.waitForSelector('[data-status="completed"]');
    server.dropSockets();
    await page.waitForSelector(`[role=progressbar][aria-valuenow="${COUNT}"]`);
    expect((await untilRight(page, project)).wrong).toBe(0);
    expect(await toasts(page)).toBe(1);
  });

  /** Only the first images come; the whole list once what `held` gives is called. */
  async function holdWholeList(page: Page): Promise<{ held: Promise<() => Promise<void>> }> {
    const { promise, resolve } = Promise.withResolvers<() => Promise<void>>();
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname.endsWith('/index') && !searchParams.has('first')) resolve(() => request.continue());
      else void request.continue();
    });
    return { held: promise };
  }

  it('shows the first images of a long list, right, while the whole of it is on its way', async () => {
    const { project, server, page } = await openPage('');
    await segmentAll(page);
    const whole = await holdWholeList(page);
    const said = () =>
      page.evaluate(() => ({
        setSize: document.querySelector('[data-image-id]')?.getAttribute('aria-setsize'),
        all: document.querySelector('[data-filter="all"] b')?.textContent,
      }));
    await page.reload();
    const arrives = await whole.held;
    // It is asked for once what is in view stands there.
    expect(await wrongCells(page, truthOf(project))).toMatchObject({ wrong: 0 });
    expect(await said()).toEqual({ setSize: `${COUNT}`, all: `${COUNT}` });
    const height = await page.$eval('.grid-spacer', (spacer) => spacer.clientHeight);
    const before = server.requests.length;
    await arrives();
    await page.waitForResponse((reply) => reply.url().endsWith('/index?behind=500'));
    expect((await untilRight(page, project)).wrong).toBe(0);
    expect(await said()).toEqual({ setSize: `${COUNT}`, all: `${COUNT}` });
    expect(await page.$eval('.grid-spacer', (spacer) => spacer.clientHeight)).toBe(height);
    expect(server.requests.slice(before)).not.toContain('POST /api/segmentation/batch/results');
  });

  it('shows nothing in place of images further down that it does not know yet, and shows them once it does', async () => {
    const { project, page } = await openPage('');
    await segmentAll(page);
    const whole = await holdWholeList(page);
    await page.reload();
    await page.waitForSelector('[data-image-id]');
    await page.$eval('[data-gallery-grid]', (list) => (list.scrollTop = list.scrollHeight));
    const arrives = await whole.held;
    await page.waitForFunction(() => document.querySelector('[data-gallery-grid]')!.scrollTop > 1000);
    const places = () =>
      page.$$eval('[data-image-id]', (cells) => cells.map((cell) => Number(cell.getAttribute('aria-posinset'))));
    expect(Math.max(0, ...(await places()))).toBeLessThanOrEqual(256);
    await arrives();
    await page.waitForSelector(`[aria-posinset="${COUNT}"]`);
    expect((await untilRight(page, project)).wrong).toBe(0);
  });

  it('shows all cells of a very large screen, and is quiet then', async () => {
    const { project, server, page } = await openPage('');
    await segmentAll(page);
    await page.setViewport({ width: 3840, height: 2160 });
    const cells = await untilRight(page, project);
    expect(cells.wrong).toBe(0);
    expect(cells.seen).toBeGreaterThan(240);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    const before = server.requests.length;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    expect(server.requests.slice(before).filter((route) => /thumbnails|render|results/.test(route))).toEqual([]);
  });

  /** What the list says of the keyboard, and how many are chosen. */
  const keyboard = (page: Page) =>
    page.evaluate(() => {
      const grid = document.querySelector('[data-gallery-grid]')!;
      const id = grid.getAttribute('aria-activedescendant');
      const place = id && document.getElementById(id)?.getAttribute('aria-posinset');
      const chosen = document.querySelector('[data-selected]')?.getAttribute('data-selected') ?? '0';
      return { place: Number(place), focused: document.activeElement === grid, chosen: Number(chosen) };
    });

  it.each([
    { asked: 'a place', press: ['290'], place: 290, chosen: 0 },
    { asked: 'its end', press: ['End'], place: COUNT, chosen: 0 },
    { asked: 'all up to its end', press: ['ArrowRight', 'Shift+End'], place: COUNT, chosen: COUNT },
    { asked: 'all of it', press: ['ArrowRight', 'Control+a'], place: 1, chosen: COUNT },
    { asked: 'its end, and then its beginning', press: ['End', 'Home'], place: 1, chosen: 0 },
  ])('does what was asked of a long list before it was here: $asked', async ({ press, place, chosen }) => {
    const { page } = await openPage('');
    await page.waitForSelector(`[aria-setsize="${COUNT}"]`);
    const { held } = await holdWholeList(page);
    await page.reload();
    const arrives = await held;
    await page.waitForSelector('[data-image-id]');
    await page.focus('[data-gallery-grid]');
    for (const keys of press) {
      const [key, modifier] = keys.split('+').toReversed() as [KeyInput, KeyInput?];
      if (Number(key)) {
        await page.type('.jump input', key);
        await page.keyboard.press('Enter');
      } else if (modifier) {
        await page.keyboard.down(modifier);
        await page.keyboard.press(key);
        await page.keyboard.up(modifier);
      } else await page.keyboard.press(key);
    }
    // Nothing is done with the first images in place of all.
    expect(await keyboard(page)).toMatchObject({ place: press.length > 1 ? 1 : 0, chosen: 0 });
    await arrives();
    await page.waitForSelector(`[aria-setsize="${COUNT}"]`);
    await vi.waitFor(async () => expect(await keyboard(page)).toEqual({ place, focused: true, chosen }), 5000);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(await keyboard(page)).toEqual({ place, focused: true, chosen });
  });

  it('is gone through, chosen from and segmented by keys alone, and keeps the focus while cells are recycled', async () => {
    const { page, project, server } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    await page.focus('[data-gallery-grid]');
    await page.keyboard.press('End');
    await page.waitForSelector(`[aria-posinset="${COUNT}"]`);
    expect(await keyboard(page)).toEqual({ place: COUNT, focused: true, chosen: 0 });
    await page.keyboard.press('Home');
    await page.waitForSelector('[aria-posinset="1"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.down('Shift');
    for (let row = 0; row < 6; row++) await page.keyboard.press('ArrowDown');
    await page.keyboard.up('Shift');
    const columns = await page.evaluate(() => {
      const tops = [...document.querySelectorAll<HTMLElement>('[data-image-id]')].map(
        (cell) => cell.getBoundingClientRect().top,
      );
      return tops.filter((top) => top === tops[0]).length;
    });
    await page.waitForSelector(`[data-selected="${6 * columns + 1}"]`);
    expect(await keyboard(page)).toEqual({ place: 6 * columns + 2, focused: true, chosen: 6 * columns + 1 });
    await page.keyboard.press(' ');
    await page.waitForSelector(`[data-selected="${6 * columns}"]`);
    await page.locator('[data-action="segment-selected"]').click();
    await page.waitForFunction(
      (total) => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuemax') === String(total),
      {},
      6 * columns,
    );
    expect(project.batches).toHaveLength(1);
    expect(server.requests.filter((route) => route === 'POST /api/projects/:id/batches')).toHaveLength(1);
    await page.focus('[data-gallery-grid]');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector('[data-selected]'));
    // a cell that was out of sight is named with the key that leads to it, not a frame later
    const named = await page.evaluate(async () => {
      const grid = document.querySelector('[data-gallery-grid]')!;
      grid.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
      await Promise.resolve();
      const id = grid.getAttribute('aria-activedescendant');
      return id && document.getElementById(id)?.getAttribute('aria-posinset');
    });
    expect(named).toBe(`${COUNT}`);
  });

  it('chooses a range with the mouse, and opens nothing while it does', async () => {
    const { page } = await openPage('');
    await page.waitForSelector('[aria-posinset="4"]');
    await page.locator('[aria-posinset="4"] .tick').click();
    await page.keyboard.down('Shift');
    await page.locator('[aria-posinset="11"]').click();
    await page.keyboard.up('Shift');
    await page.waitForSelector('[data-selected="8"]');
    expect(await page.$$eval('[aria-selected="true"]', (cells) => cells.length)).toBe(8);
    expect(await page.evaluate(() => location.pathname)).toContain('/projects/');
    await page.locator('[data-filter="picked"]').click();
    await page.waitForSelector('[aria-setsize="8"]');
    expect(await faultsOf(page)).toEqual([]);
  });

  it('tries twelve images at a threshold and at another, says what looks strange, and then takes all', async () => {
    const { page, project } = await openPage('', { unlike: [12, 37] });
    await page.waitForSelector('[data-image-id]');
    await page.locator('[data-action="try-first"]').click();
    await page.waitForSelector('[data-trial="12"]');
    expect(project.batches.map(({ total }) => total)).toEqual([12]);
    expect(await page.$eval('[data-trial]', (node) => node.textContent)).toMatch(
      /Tried 12 images at 0\.50: [\d,]+ cells/,
    );
    expect(await page.$$eval('[data-image-id]', (cells) => cells.length)).toBe(12);
    // Places 12 and 37 are two of the twelve.
    await page.waitForSelector('[data-unlike-notice="2"]');
    expect(await page.$$eval('[data-unlike]', (cells) => cells.length)).toBe(2);
    expect(await faultsOf(page)).toEqual([]);
    await page.focus('.threshold input');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelector('[data-trial]')?.textContent?.includes('at 0.45:'));
    expect(project.batches.map(({ total }) => total)).toEqual([12, 12]);
    await page.locator('[data-action="segment-after-trial"]').click();
    await page.waitForSelector(`[role=progressbar][aria-valuemax="${COUNT}"]`);
    expect(await page.$('[data-trial]')).toBeNull();
  });

  it('goes to a place of 100,000 images in few nodes, from one end to the other', async () => {
    const { page } = await openPage('', { count: 100_000 });
    const nodes = () => page.evaluate(() => document.getElementsByTagName('*').length);
    await page.type('.jump input', '77777');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[aria-posinset="77777"][data-active][aria-label^="Image 77,777"]');
    expect((await keyboard(page)).focused).toBe(true);
    expect(await nodes()).toBeLessThan(600);
    await page.keyboard.press('End');
    await page.waitForSelector('[aria-posinset="100000"]');
    expect(await nodes()).toBeLessThan(600);
    const { top, height } = await page.$eval('[data-gallery-grid]', (grid) => ({
      top: grid.scrollTop,
      height: grid.scrollHeight,
    }));
    expect(height).toBeLessThan(2 ** 24);
    expect(top).toBeGreaterThan(height / 2);
  });

  it('exchanges the key in the address for a session and takes it out of the address', async () => {
    const { server, page } = await openPage('', { hash: `#key=${'k'.repeat(40)}` });
    await page.waitForSelector('[data-image-id]');
    expect(server.requests[0]).toBe('POST /api/session');
    expect(await page.evaluate(() => location.href)).not.toContain('key');
  });

  it('asks to sign in when nobody has', async () => {
    const { page } = await openPage('', { signedOut: true });
    await page.waitForSelector('input[name=key]');
    expect(await page.$('[data-image-id]')).toBeNull();
  });
});
