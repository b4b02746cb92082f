import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { createInspectors, type Inspectors } from '../ingest/inspectors.ts';

declare module 'fastify' {
  interface FastifyInstance {
    inspectors: Inspectors;
  }
}

/** Who looks at uploaded files: this process never decodes one. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, metrics, log } = app;
    const inspectors = createInspectors({
      workers: config.decodeWorkers,
      timeoutMs: config.decodeTimeoutMs,
      limits: { memoryBytes: config.decodeMemoryBytes, cpuSeconds: config.decodeCpuSeconds },
      log: (message) => log.warn(message),
    });
    app.decorate('inspectors', inspectors);
    const { stats } = inspectors;
    metrics.gauge('segbench_uploads_waiting', 'Uploaded files that wait to be decoded.', () => stats().waiting);
    metrics.gauge('segbench_decoder_processes', 'Child processes that decode uploads.', () => stats().processes);
    metrics.counter(
      'segbench_decoders_lost_total',
      'Child processes that died, or were killed past their deadline, while they decoded an upload.',
      () => stats().failed,
    );
    app.addHook('onClose', () => inspectors.close());
  },
  { name: 'inspectors', dependencies: ['services'] },
);
