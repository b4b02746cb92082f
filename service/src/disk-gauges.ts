import { statfs } from 'node:fs/promises';
import type { Metrics } from './metrics.ts';
import { createProbe } from './probe.ts';

/** How full the disk is that a folder lies on. What only root may still use does not count as free. */
export function showDisk(metrics: Metrics, folder: string): void {
  const disk = createProbe(async () => {
    const { bsize, blocks, bavail } = await statfs(folder);
    return { size: bsize * blocks, free: bsize * bavail };
  });
  metrics.gauge(
    'segbench_storage_size_bytes',
    'Size of the disk of DATA_DIR.',
    async () => (await disk())?.size ?? null,
  );
  metrics.gauge(
    'segbench_storage_free_bytes',
    'Of that, what the service may still write.',
    async () => (await disk())?.free ?? null,
  );
}
