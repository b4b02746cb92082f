import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { launchBrowser } from '../../../loadtest/src/environment/browser.ts';
import { startTestApp, type TestApp } from './app.ts';

/** The real app and a real browser, for tests of its pages. */
export async function startWithBrowser(
  env: Record<string, string> = {},
): Promise<{ service: TestApp; browser: Browser; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-pages-'));
  const [service, launched] = await Promise.all([
    startTestApp(env),
    launchBrowser({ tempDir: folder, env: {}, log: () => {} }),
  ]);
  return {
    service,
    browser: launched.browser,
    async close() {
      await launched.close();
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
