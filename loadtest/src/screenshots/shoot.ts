import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import sharp from 'sharp';
import type { Scene, Shown } from './scenes.ts';

interface Look {
  suffix: string;
  width: number;
  height: number;
  scheme: 'light' | 'dark';
}
const LOOKS: readonly Look[] = [
  { suffix: '', width: 1280, height: 800, scheme: 'light' },
  { suffix: '-dark', width: 1280, height: 800, scheme: 'dark' },
  { suffix: '-phone', width: 390, height: 844, scheme: 'light' },
];
/** Flat colours and sharp letters: at this quality no ringing is to be seen. */
const WEBP = { quality: 72, effort: 6, smartSubsample: true } as const;
const QUIET_MS = 700;

export interface Studio {
  browser: Browser;
  url: string;
  key: string;
  out: string;
  onFile: (name: string, sizeBytes: number) => void;
}

async function openAt({ url, key }: Studio, context: BrowserContext, { path, signedOut }: Scene, shown: Shown) {
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  if (!signedOut) {
    // By the page's own form, so that the cookie is what it will be.
    await page.goto(`${url}/#key=${key}`, { waitUntil: 'networkidle2' });
  }
  await page.goto(url + path(shown), { waitUntil: 'load' });
  return page;
}

/** The page as it is, in light, in dark and on a phone; as `name.webp` and so on. `most`: its height, where less than a screen says it. */
export async function shootPage(
  page: Page,
  { name, most = Infinity }: Pick<Scene, 'name' | 'most'>,
  { out, onFile }: Pick<Studio, 'out' | 'onFile'>,
) {
  for (const { suffix, width, height, scheme } of LOOKS) {
    await page.setViewport({ width, height: Math.min(height, most) });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const file = `${name}${suffix}.webp`;
    const bytes = await sharp(await page.screenshot({ type: 'png' }))
      .webp(WEBP)
      .toBuffer();
    await writeFile(join(out, file), bytes);
    onFile(file, bytes.length);
  }
}

/** @throws Error that names the scene, where what it waits for does not come */
export async function shoot(studio: Studio, scene: Scene, shown: Shown): Promise<void> {
  const context = await studio.browser.createBrowserContext();
  try {
    const page = await openAt(studio, context, scene, shown);
    await page.waitForSelector(scene.ready);
    await scene.act?.(page, shown);
    await shootPage(page, scene, studio);
  } catch (cause) {
    throw new Error(`the picture of ${scene.name} was not made: ${(cause as Error).message}`, { cause });
  } finally {
    await context.close();
  }
}
