import type { Browser } from 'puppeteer-core';
import { readPss } from '../../measure/proc.ts';
import type { ObservedPage } from './page.ts';

interface HeapUsage {
  usedSize: number;
  embedderHeapUsedSize?: number;
  backingStorageSize?: number;
}

/** Heap, DOM and array buffers of the page, bytes. `performance.memory` would leave out the last two. */
export async function heapBytes({ cdp }: Pick<ObservedPage, 'cdp'>): Promise<number> {
  const usage = (await cdp.send('Runtime.getHeapUsage')) as HeapUsage;
  return usage.usedSize + (usage.embedderHeapUsedSize ?? 0) + (usage.backingStorageSize ?? 0);
}

/** What stays after two forced collections: the second takes what the first one's finalizers let go. */
export async function retainedBytes(page: Pick<ObservedPage, 'cdp'>): Promise<number> {
  await page.cdp.send('HeapProfiler.collectGarbage');
  await page.cdp.send('HeapProfiler.collectGarbage');
  return heapBytes(page);
}

/** Proportional memory of all renderer processes, bytes: bitmaps and whatever else the heap does not know of. */
export async function rendererPssBytes(browser: Browser): Promise<number> {
  const session = await browser.target().createCDPSession();
  try {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    const sizes = await Promise.all(renderers.map(({ id }) => readPss(id)));
    return sizes.reduce((sum, size) => sum + size, 0);
  } finally {
    await session.detach();
  }
}

/** How the browser puts its pages together, by its own word: 'hardware' where a GPU does, else 'software'. */
export async function renderingOf(browser: Browser): Promise<'hardware' | 'software'> {
  const session = await browser.target().createCDPSession();
  try {
    const { gpu } = await session.send('SystemInfo.getInfo');
    const status = (gpu.featureStatus as Record<string, string> | undefined)?.['gpu_compositing'] ?? '';
    return status.startsWith('enabled') ? 'hardware' : 'software';
  } finally {
    await session.detach();
  }
}
