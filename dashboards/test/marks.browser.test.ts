import { expect, it } from 'vitest';
import { galleryBench } from './gallery-page.ts';

const COUNT = 1000;
const { openPage } = galleryBench();

/** Cells in the page whose frame is not that of their status. */
const wronglyMarked = (): number =>
  [...document.querySelectorAll<HTMLElement>('.cell')].filter(
    (cell) =>
      (cell.dataset['status'] === 'failed') !==
      (getComputedStyle(cell.querySelector('.picture')!).outlineStyle === 'solid'),
  ).length;

// Chromium 153: where a node is moved by `moveBefore` (Preact's way) just after its own `style` attribute changed, its descendants keep the
// looks that they had, whatever else changed. Rows of the grid are therefore never moved.
it('marks cells as what they are, wherever and however far the list is scrolled', async () => {
  const { page, project } = await openPage('', { count: COUNT });
  project.finish(
    project.newBatch(),
    project.images.map((_, place) => place),
    (place) => place % 5 === 1,
  );
  await page.waitForSelector('[data-status="failed"]');
  const failed = new Set<string>();
  const steps = [...Array<number>(40).fill(90), 9000, -4000, 7000, -12_000, ...Array<number>(20).fill(150)];
  for (const step of steps) {
    await page.$eval('[data-gallery-grid]', (list, by) => list.scrollBy(0, by), step);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 20))));
    for (const place of await page.$$eval('.cell[data-status="failed"]', (cells) => cells.map((cell) => cell.id)))
      failed.add(place);
    expect(await page.evaluate(wronglyMarked), `after a step of ${step} pixels`).toBe(0);
  }
  expect(failed.size).toBeGreaterThan(20);
});
