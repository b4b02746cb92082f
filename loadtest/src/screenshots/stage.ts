import { join } from 'node:path';
import { uploadFiles } from '../drivers/upload.ts';
import { generateImages } from '../images/generator.ts';
import { pause } from '../run/stop.ts';
import type { Services } from '../run/services.ts';
import { shootPage, type Studio } from './shoot.ts';

/** Enough that the list scrolls, and that a batch of them takes a while. */
const LIMITS = { minSide: 256, maxSide: 512, medianSide: 384, maxCells: 90, minCells: 12 };
const THRESHOLDS = [0.5, 0.45, 0.55];
/** Images of the batches before: the first is what a forecast needs, the others show how forecasts held. Shares of all. */
const TRIALS = [0.05, 0.1, 0.15, 0.2];

export const newProject = async ({ client }: Services, name: string): Promise<string> =>
  (await client.call('POST /api/projects', { body: { name, pixelSizeUm: 0.325 } })).id;

/** @returns the image with the most cells */
async function fullest({ client }: Services, projectId: string): Promise<string> {
  const { items } = await client.call('GET /api/projects/{id}/images', {
    path: { id: projectId },
    query: { limit: 1, sort: '-polygonCount' },
  });
  return items[0]!.id;
}

/** Batches of a few images each, one after the other: from the second on each has a forecast, and ends before the next begins. */
async function tryBefore({ client }: Services, projectId: string, count: number, signal: AbortSignal): Promise<void> {
  const { items } = await client.call('GET /api/projects/{id}/images', {
    path: { id: projectId },
    query: { limit: 500, sort: 'name' },
  });
  let from = 0;
  for (const share of TRIALS) {
    const imageIds = items.slice(from, (from += Math.max(12, Math.round(count * share)))).map(({ id }) => id);
    if (imageIds.length === 0) return;
    const { id } = await client.call('POST /api/projects/{id}/batches', {
      path: { id: projectId },
      body: { imageIds },
    });
    while ((await client.call('GET /api/batches/{id}', { path: { id } })).status !== 'completed')
      await pause(250, signal);
  }
}

/** Uploads seeded images, segments them at a few thresholds one after the other, and takes the operator's page while it goes on. */
export async function workAndWatch(
  services: Services,
  studio: Studio,
  options: { projectId: string; images: number; seed: number; signal: AbortSignal },
): Promise<{ imageId: string }> {
  const { projectId, images: count, seed, signal } = options;
  const { client, browser, environment } = services;
  const directory = join(environment.tempDir, 'pictured');
  const set = await generateImages({ count, seed, directory, labels: 0, limits: LIMITS, signal });
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(`${studio.url}/#key=${studio.key}`, { waitUntil: 'load' });
  await page.waitForSelector('.plot canvas');
  await uploadFiles({ client, projectId, files: set.images, signal });
  await tryBefore(services, projectId, count, signal);
  const batches: string[] = [];
  for (const threshold of THRESHOLDS) {
    const body = { all: true, threshold } as const;
    batches.push((await client.call('POST /api/projects/{id}/batches', { path: { id: projectId }, body })).id);
  }
  const last = batches.at(-1)!;
  for (let shot = false; ;) {
    const { status, counts } = await client.call('GET /api/batches/{id}', { path: { id: last } });
    if (!shot && counts.completed > count / 4) {
      await shootPage(page, { name: 'operator' }, studio);
      shot = true;
    }
    if (status === 'completed') break;
    await pause(250, signal);
  }
  await context.close();
  return { imageId: await fullest(services, projectId) };
}
