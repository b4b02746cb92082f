import type { Page } from 'puppeteer-core';

/** What there is to show, by then. */
export interface Shown {
  projectId: string;
  imageId: string;
  runIds: readonly string[];
}
export interface Scene {
  /** Of the files: `gallery.webp`, `gallery-dark.webp`, `gallery-phone.webp`. */
  name: string;
  path: (shown: Shown) => string;
  /** A sign that what is to be seen is there. */
  ready: string;
  /** What a person does before they look. */
  act?: (page: Page, shown: Shown) => Promise<unknown>;
  signedOut?: true;
  /** Height in pixels of the picture, where less than a screen says it. */
  most?: number;
}

const settled = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => document.querySelector('.connection-live') !== null);
  // Cells get their pictures once they stay in view.
  await page.waitForFunction(() => {
    const cells = [...document.querySelectorAll<HTMLElement>('[data-image-id]')];
    const seen = cells.filter((cell) => cell.getBoundingClientRect().top < innerHeight);
    return seen.length > 0 && seen.every(({ dataset }) => dataset['overlay'] === 'drawn');
  });
};

/** A service that nobody has used yet. */
export const EMPTY_SCENES: readonly Scene[] = [
  { name: 'sign-in', path: () => '/', ready: '.sign-in input', signedOut: true },
  { name: 'operator-empty', path: () => '/', ready: '.plot canvas' },
  { name: 'runs-empty', path: () => '/runs', ready: '.runs-page pre' },
  { name: 'gallery-empty', path: ({ projectId }) => `/projects/${projectId}`, ready: '.empty h2' },
];

/** One in use. The operator's page is shot while it works, apart from these. */
export const SCENES: readonly Scene[] = [
  { name: 'gallery', path: ({ projectId }) => `/projects/${projectId}`, ready: '[data-image-id]', act: settled },
  {
    name: 'gallery-export',
    most: 520,
    path: ({ projectId }) => `/projects/${projectId}`,
    ready: '[data-image-id]',
    async act(page) {
      await settled(page);
      await page.locator('.gallery-export summary').click();
      await page.locator('[data-export="csv"]').click();
      await page.waitForSelector('[data-export-row][data-state="ready"]');
    },
  },
  {
    name: 'viewer',
    path: ({ imageId }) => `/images/${imageId}`,
    ready: '.view-side tr button',
    act: (page) => page.locator('.view-side tr:nth-child(3) button').click(),
  },
  {
    name: 'runs',
    path: () => '/runs',
    ready: '[data-run]',
    async act(page) {
      await page.select('select[name=scenario]', 'bulk-1000');
      await page.waitForSelector('.plot canvas');
    },
  },
  { name: 'run', path: ({ runIds }) => `/runs/${runIds[0]}`, ready: '.panel table' },
  {
    name: 'compare',
    path: ({ runIds }) => `/runs?base=${runIds[1] ?? runIds[0]}&now=${runIds[0]}`,
    ready: '[data-metric]',
  },
  {
    name: 'stages',
    path: ({ runIds }) => `/runs?base=${runIds[1] ?? runIds[0]}&now=${runIds[0]}`,
    ready: '[data-stage]',
    act: (page) => page.$eval('#histograms-title', (title) => title.scrollIntoView()),
  },
  { name: 'report', path: ({ runIds }) => `/api/runs/${runIds[0]}/report`, ready: 'table' },
  { name: 'keys', path: () => '/keys', ready: '[data-key]' },
  { name: 'capacity', path: () => '/capacity', ready: '[data-score]' },
];
