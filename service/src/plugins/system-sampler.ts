import { availableParallelism, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import type { System } from '#contract/metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    system: { read(): { current: System; averages: System; peaks: System } };
  }
}

const EVERY_MS = 5000;
/** One minute of samples. */
const KEPT = 12;
const FIELDS = ['cpuUsage', 'memoryUsage', 'eventLoopLag'] as const;

const combined = (samples: readonly System[], combine: (values: number[]) => number): System => {
  const of = (field: (typeof FIELDS)[number]) => combine(samples.map((sample) => sample[field]));
  return { cpuUsage: of('cpuUsage'), memoryUsage: of('memoryUsage'), eventLoopLag: of('eventLoopLag') };
};

/** CPU (share of all cores), resident memory (share of what there is) and event loop lag (ms, p99) of this process, sampled every 5 s. */
export default fp(
  async (app: FastifyInstance) => {
    const delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    let cpu = process.cpuUsage();
    let at = performance.now();
    const samples: System[] = [];
    // A container's limit, where there is one (0 or far beyond the machine where not).
    const memoryBytes = Math.min(process.constrainedMemory() || Infinity, totalmem());

    const sample = () => {
      const now = performance.now();
      const used = process.cpuUsage(cpu);
      const wallUs = Math.max(1, (now - at) * 1000);
      samples.push({
        cpuUsage: Math.min(1, (used.user + used.system) / wallUs / availableParallelism()),
        memoryUsage: Math.min(1, process.memoryUsage.rss() / memoryBytes),
        eventLoopLag: delay.count > 0 ? Math.max(0, delay.percentile(99) / 1e6 - 20) : 0,
      });
      if (samples.length > KEPT) samples.shift();
      cpu = process.cpuUsage();
      at = now;
      delay.reset();
    };
    const timer = setInterval(sample, EVERY_MS);
    timer.unref();
    app.addHook('onClose', async () => {
      clearInterval(timer);
      delay.disable();
    });
    app.decorate('system', {
      read() {
        if (samples.length === 0) sample();
        return {
          current: samples.at(-1)!,
          averages: combined(samples, (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
          peaks: combined(samples, (values) => Math.max(...values)),
        };
      },
    });
  },
  { name: 'system-sampler' },
);
