import { availableParallelism, totalmem } from 'node:os';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import type { System } from '#contract/metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    system: { read(): { current: System; averages: System; peaks: System } };
  }
}

const EVERY_MS = 5000;
/** How often the loop must come round; blocking for less than this may go unseen. At 20 ms it costs 5 CPU ms a second. */
const TICK_MS = 50;
/** One minute of samples. */
const KEPT = 12;
const FIELDS = ['cpuUsage', 'memoryUsage', 'eventLoopLag'] as const;

const combined = (samples: readonly System[], combine: (values: number[]) => number): System => {
  const of = (field: (typeof FIELDS)[number]) => combine(samples.map((sample) => sample[field]));
  return { cpuUsage: of('cpuUsage'), memoryUsage: of('memoryUsage'), eventLoopLag: of('eventLoopLag') };
};

/**
 * CPU (share of all cores), resident memory (share of what there is) and event loop lag of this process, sampled every 5 s.
 * The lag is the longest that a timer came late (ms): a percentile would drown one long block among hundreds of good ticks, and the
 * delay monitor of Node can read 0 through it.
 */
export default fp(
  async (app: FastifyInstance) => {
    let lagMs = 0;
    let tickedAt = performance.now();
    const ticks = setInterval(() => {
      const now = performance.now();
      lagMs = Math.max(lagMs, now - tickedAt - TICK_MS);
      tickedAt = now;
    }, TICK_MS);
    ticks.unref();
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
        eventLoopLag: lagMs,
      });
      if (samples.length > KEPT) samples.shift();
      cpu = process.cpuUsage();
      at = now;
      lagMs = 0;
    };
    const timer = setInterval(sample, EVERY_MS);
    timer.unref();
    app.addHook('onClose', async () => {
      clearInterval(timer);
      clearInterval(ticks);
    });
    app.decorate('system', {
      read() {
        if (samples.length === 0) sample();
        const last = samples.at(-1)!;
        // What blocked since the last sample is news already.
        const current = { ...last, eventLoopLag: Math.max(last.eventLoopLag, lagMs) };
        const all = [...samples.slice(0, -1), current];
        return {
          current,
          averages: combined(all, (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
          peaks: combined(all, (values) => Math.max(...values)),
        };
      },
    });
  },
  { name: 'system-sampler' },
);
