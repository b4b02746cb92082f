import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtPages } from '../../../dashboards/test/built-pages.ts';
import { startWithBrowser } from './browser.ts';
import { finishBatch, uploadPictures } from './results.ts';
import { openSignedIn } from './signed-in.ts';
import { writeRun } from './runs.ts';

const REPORT =
  '<!doctype html><title>report</title><style>p { color: teal }</style><p>held</p><script>document.title = "ran"</script>';

/** The real service with its pages and a browser; a project of six images, five of them done and one failed; and two runs of the bench. */
export async function startSeenService(env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-seen-'));
  const results = join(folder, 'bench-results');
  const runIds = [
    await writeRun(results, { name: '2026-03-01T00-00-00Z-bulk-1000', cpuModel: 'another CPU', toasts: 1 }),
    await writeRun(results, {
      name: '2026-03-02T00-00-00Z-bulk-1000',
      settleMs: 900,
      toasts: 3,
      verdict: 'fail',
      report: REPORT,
    }),
  ];
  const pages = await startWithBrowser({ RESULTS_DIR: results, DASHBOARDS_DIR: await builtPages(), ...env });
  const { service, browser } = pages;
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'seen' } });
  const { id: projectId } = (await made.json()) as { id: string };
  const images = await uploadPictures(service, projectId, 6);
  const failedBatchId = await finishBatch(service, projectId, images, [3, 1, 2, 4, null, 1]);
  return {
    folder,
    service,
    browser,
    projectId,
    images,
    imageId: images[0]!.id,
    failedBatchId,
    runIds,
    open: (path: string, key?: string) => openSignedIn(browser, service.url, path, key),
    async close(): Promise<void> {
      await pages.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type SeenService = Awaited<ReturnType<typeof startSeenService>>;
