import { setTimeout as sleep } from 'node:timers/promises';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

/** Routes that a plant delays, with milliseconds. */
const DELAYS: Readonly<Record<string, { route: string; ms: number }>> = {
  'slow-detail': { route: '/api/images/:id', ms: 1_500 },
  'slow-list': { route: '/api/projects/:id/images', ms: 230 },
};
const SLOW_QUERY = { everyMs: 60, seconds: 0.25 };
const KEPT_BYTES = 4 * 1024 * 1024;
/** Of every request. */
const LEAKED_BYTES = 128 * 1024;

/** Violations planted in the API (`PLANT`, tests only; see `../plants.ts`). Registered only where one is planted. */
export default fp(
  async (app: FastifyInstance) => {
    const { plant } = app.config;
    const delays = new Map(
      Object.entries(DELAYS).flatMap(([name, { route, ms }]) => (plant.has(name) ? [[route, ms] as const] : [])),
    );
    app.addHook('onRequest', async (request) => {
      const ms = request.method === 'GET' ? delays.get(request.routeOptions.url ?? '') : undefined;
      if (ms !== undefined) await sleep(ms);
    });

    if (plant.has('kept-downloads')) {
      const kept: Buffer[] = [];
      app.addHook('onRequest', async (request) => {
        if (request.routeOptions.url?.startsWith('/api/download/')) kept.push(Buffer.alloc(KEPT_BYTES, 1));
      });
    }

    if (plant.has('leak-api')) {
      const kept: Buffer[] = [];
      app.addHook('onRequest', async () => void kept.push(Buffer.alloc(LEAKED_BYTES, 1)));
    }

    if (plant.has('leaked-listener'))
      app.addHook('onRequest', async (request) => void app.server.on('close', () => request.log));

    if (plant.has('slow-query')) {
      const timer = setInterval(
        () => void app.connections.service`SELECT pg_sleep(${SLOW_QUERY.seconds})`.catch(() => {}),
        SLOW_QUERY.everyMs,
      );
      app.addHook('onClose', async () => clearInterval(timer));
    }
  },
  { name: 'plants', dependencies: ['services'] },
);
