import type { Protocol } from 'puppeteer-core';
import { describe, expect, it, vi } from 'vitest';
import { galleryBench } from './gallery-page.ts';

const { openPage } = galleryBench();

describe('a gallery that is scrolled', () => {
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

  it('gives each row that comes the nodes of one that goes', async () => {
    const { page } = await openPage('', { count: 1000 });
    await page.waitForSelector('[aria-posinset="1"]');
    const seen = await page.evaluate(async () => {
      const list = document.querySelector('[data-gallery-grid]')!;
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const nodes = new Set<Element>();
      const places = new Set<string>();
      const look = () => {
        for (const node of list.querySelectorAll('.grid-row, .cell, canvas')) nodes.add(node);
        for (const cell of list.querySelectorAll('.cell')) places.add(cell.ariaPosInSet ?? '');
        return list.querySelectorAll('.grid-row, .cell, canvas').length;
      };
      const inPage = [look()];
      for (const step of [...Array<number>(60).fill(50), ...Array<number>(40).fill(-70)]) {
        list.scrollBy(0, step);
        await frame();
        await frame();
        inPage.push(look());
      }
      return { places: places.size, nodes: nodes.size, inPage: Math.max(...inPage) };
    });
    expect(seen.places).toBeGreaterThan(100);
    expect(seen.nodes).toBe(seen.inPage);
  });
});
