import Fastify, { LogController, type FastifyInstance } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import audit from './plugins/audit.ts';
import auth from './plugins/auth.ts';
import compression from './plugins/compression.ts';
import type { Services } from './plugins/decorators.ts';
import errorHandler from './plugins/error-handler.ts';
import httpMetrics from './plugins/http-metrics.ts';
import security from './plugins/security.ts';
import services from './plugins/services.ts';
import validation from './plugins/validation.ts';
import images from './routes/images.ts';
import pictures from './routes/pictures.ts';
import projects from './routes/projects.ts';
import results from './routes/results.ts';
import upload from './routes/upload.ts';

/** A slow line may take its time with 100 files of 20 MB; a socket that sends nothing may not. */
const REQUEST_TIMEOUT_MS = 30 * 60_000;
const HEADERS_TIMEOUT_MS = 30_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The HTTP service, not yet listening. What is in `deps` was opened by the caller, who closes it after the app. */
export async function buildApp(deps: Services): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: deps.config.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false, verbose: true },
      // ajv-formats takes `urn:uuid:…` as well, which PostgreSQL does not.
      onCreate: (ajv) => ajv.addFormat('uuid', UUID),
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  // Replies are built from typed rows; walking their schemas again costs more than it finds. Tests check them instead.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));

  await app.register(errorHandler);
  await app.register(security);
  await app.register(services, deps);
  await app.register(httpMetrics);
  await app.register(validation);
  await app.register(auth);
  await app.register(audit);
  await app.register(compression);

  await app.register(projects);
  await app.register(upload);
  await app.register(images);
  await app.register(pictures);
  await app.register(results);
  return app;
}
