import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { createCrashPoints, type CrashPoint } from '../crash-points.ts';

/** What is committed when the answer to these is on its way. */
const ANSWERS: Readonly<Record<string, { status: number; point: CrashPoint }>> = {
  '/api/projects/:id/images': { status: 201, point: 'uploaded' },
  '/api/projects/:id/batches': { status: 202, point: 'batch-created' },
};

/** Crash points between commit and answer (`CRASH_POINTS`, tests only). Registered only where they are asked for. */
export default fp(
  async (app: FastifyInstance) => {
    const points = createCrashPoints(app.config.crashPoints);
    app.addHook('onSend', async (request, reply) => {
      const answer = request.method === 'POST' ? ANSWERS[request.routeOptions.url ?? ''] : undefined;
      if (answer?.status === reply.statusCode) points.reach(answer.point);
    });
  },
  { name: 'crash-points', dependencies: ['services'] },
);
