import { writeFile } from 'node:fs/promises';
import type { Browser } from 'puppeteer-core';
import sharp from 'sharp';
import { PAGE_WIDTH, pageOf, type Page } from './page.ts';

/** Lines and letters on flat colours. */
export const WEBP = { nearLossless: true, quality: 60, effort: 6 } as const;

/** @returns bytes of the file, WebP */
export async function writePicture(browser: Browser, page: Page, path: string): Promise<number> {
  const { html, height } = pageOf(page);
  const tab = await browser.newPage();
  try {
    await tab.setViewport({ width: PAGE_WIDTH, height });
    await tab.setContent(html, { waitUntil: 'load' });
    const bytes = await sharp(await tab.screenshot({ type: 'png' }))
      .webp(WEBP)
      .toBuffer();
    await writeFile(path, bytes);
    return bytes.length;
  } finally {
    await tab.close();
  }
}
