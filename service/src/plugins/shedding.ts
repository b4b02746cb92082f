import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter } from 'prom-client';
import { ApiError } from '../errors.ts';
import { errorBody } from './error-handler.ts';
import { createShedding, REFUSALS, type LoadClass, type ShedReason } from '../limits/shedding.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The place that it holds: `working` until its answer is there, `open` until that is sent. */
    place: { kind: LoadClass; working: boolean } | null;
  }
}

/** Who looks after the service must see it when it is busiest. */
const EXEMPT = /^\/(healthz|readyz|metrics|api\/now)$|^\/api\/metrics\//;

function classOf({ ws, headers, routeOptions: { url = '', config } }: FastifyRequest): LoadClass {
  if (ws || headers.upgrade !== undefined || EXEMPT.test(url)) return 'exempt';
  if (config.rate === 'uploads') return 'upload';
  if (url.startsWith('/api/download/')) return 'stream';
  return config.rate === 'reads' || config.rate === 'exports' ? 'low' : 'normal';
}

/** Made once: a refusal that costs as much as an answer protects nobody. */
const REFUSAL = new ApiError('OVERLOADED');
const BODY = JSON.stringify(errorBody(REFUSAL));
/** Spread over two seconds, so that those who were refused together do not come back together. */
const waitSeconds = () => (Math.random() < 0.5 ? '1' : '2');

/** Refuses what this process cannot serve in time (`LOAD_SHEDDING`), before it costs anything. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, metrics } = app;
    if (!config.loadShedding) return;
    const shedding = createShedding({
      maxOpen: config.maxRequests,
      maxUploads: config.maxUploads,
      targetMs: config.shedDelayMs,
    });
    const shed = new Counter({
      name: 'segbench_shed_requests_total',
      help: 'Requests refused with 503 because the process was busy.',
      labelNames: ['reason', 'class'] as const,
      registers: metrics.registers,
    });
    // A series that begins at its first refusal has no rate there.
    for (const refusal of REFUSALS) shed.inc({ ...refusal }, 0);
    const { state } = shedding;
    metrics.gauge('segbench_admission_limit', 'Requests that may be in work at once, as found.', () => state.limit);
    metrics.gauge('segbench_admission_working', 'Requests in work.', () => state.working);
    metrics.gauge('segbench_admission_open', 'Requests not answered to their last byte.', () => state.open);
    metrics.gauge('segbench_admission_uploads', 'Uploads that arrive.', () => state.uploads);
    metrics.gauge(
      'segbench_admission_turn_seconds',
      'Mean turn of the event loop in the last window with requests.',
      () => state.delayMs / 1000,
    );

    // One whole turn, from check phase to check phase: while requests come there is always one under way.
    let timing = false;
    function timeTurn(): void {
      if (timing) return;
      timing = true;
      setImmediate(() => {
        const began = performance.now();
        setImmediate(() => {
          timing = false;
          shedding.turn(performance.now() - began, metrics.pool.waiting > config.databasePool);
        });
      });
    }

    app.decorateRequest('place', null);
    app.addHook('onRequest', (request, reply, done) => {
      const kind = classOf(request);
      timeTurn();
      const reason: ShedReason | null = shedding.admit(kind);
      if (reason !== null) {
        shed.inc({ reason, class: kind });
        return void reply
          .code(REFUSAL.statusCode)
          .headers({ 'content-type': 'application/json; charset=utf-8', 'retry-after': waitSeconds() })
          .send(BODY);
      }
      request.place = { kind, working: true };
      done();
    });
    const worked = ({ place }: FastifyRequest) => {
      if (place?.working !== true) return;
      place.working = false;
      shedding.worked(place.kind);
    };
    app.addHook('onSend', (request, _reply, payload, done) => {
      worked(request);
      done(null, payload);
    });
    app.addHook('onResponse', (request, _reply, done) => {
      worked(request);
      if (request.place) shedding.ended(request.place.kind);
      request.place = null;
      done();
    });
  },
  { name: 'shedding', dependencies: ['services'] },
);
