import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { createArtists, type Artists } from '../pictures/artists.ts';
import { createPictureIndex, type PictureIndex } from '../pictures/index.ts';
import { createShelf, type Shelf } from '../pictures/shelf.ts';
import { createPictureStore, type PictureStore } from '../pictures/store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    pictures: PictureStore & {
      artists: Artists;
      shelf: Shelf;
      index: PictureIndex;
    };
  }
}

/** Who draws pictures, and where they are kept. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, cache, storage, metrics, log } = app;
    const artists = createArtists({
      workers: config.pictureWorkers,
      queue: config.pictureQueue,
      timeoutMs: config.pictureTimeoutMs,
      limits: { memoryBytes: config.decodeMemoryBytes, cpuSeconds: config.decodeCpuSeconds },
      log: (message) => log.warn(message),
    });
    const index = createPictureIndex({ redis: cache.redis, prefix: config.queuePrefix });
    const shelf = createShelf({
      storage,
      index,
      maxBytes: config.pictureCacheBytes,
      onError: (error) => log.error({ err: error }, 'clearing of pictures failed'),
    });
    const store = createPictureStore({ storage, metrics, artists, index, shelf });
    app.decorate('pictures', { ...store, artists, shelf, index });
    metrics.gauge('segbench_pictures_waiting', 'Pictures that wait to be drawn.', () => artists.stats().waiting);
    metrics.gauge('segbench_picture_processes', 'Child processes that draw.', () => artists.stats().processes);
    metrics.gauge(
      'segbench_pictures_bytes',
      'Drawn pictures on disk, as far as this process knows.',
      () => shelf.stats().bytes,
    );
    app.addHook('onReady', async () => shelf.start());
    app.addHook('onClose', async () => {
      await shelf.close();
      await artists.close();
    });
  },
  { name: 'pictures', dependencies: ['services'] },
);
