import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { squareImages } from '../../loadtest/src/calibrate/images.ts';
import { loadModelCard } from '../../service/src/inference/model.ts';
import { createLocalPool } from '../../service/src/inference/pool/local.ts';

const MODELS = new URL('../../service/models', import.meta.url).pathname;

/** Folder, model and what opens pools and images of one side; all of it is closed by `close`. */
export async function poolKit() {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-figures-'));
  const { dir: modelDir, name, version } = await loadModelCard(MODELS, 'nuclei');
  const pools = [];
  const keep = async (pool) => {
    pools.push(pool);
    await pool.load();
    return pool;
  };
  return {
    modelDir,
    model: `${name} ${version}`,
    keep,
    local: (workers, options = {}) =>
      keep(createLocalPool({ workers, modelDir, provider: 'cpu', timeoutMs: 60_000, memoryBytes: 64e9, ...options })),
    async images(side, count) {
      const files = await squareImages(folder, side, count);
      return files.map((file) => ({ file, width: side, height: side }));
    },
    request: (image, id) => ({
      ...image,
      id: String(id),
      // Spread over the digests' range: a simulated device draws by them.
      sha256: Math.floor(Math.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
        .repeat(8),
      modelDir,
      priority: 0,
      threshold: 0.5,
      channel: null,
      page: 0,
      detectHoles: true,
    }),
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
