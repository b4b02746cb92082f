import type { IncomingMessage } from 'node:http';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import batchesPlugin from './batches/plugin.ts';
import eventsPlugin from './events/plugin.ts';
import exportsPlugin from './exports/plugin.ts';
import addressed from './plugins/addressed.ts';
import auditPlugin from './plugins/audit.ts';
import auth from './plugins/auth.ts';
import compression from './plugins/compression.ts';
import connections from './plugins/connections.ts';
import crashPoints from './plugins/crash-points.ts';
import type { Services } from './plugins/decorators.ts';
import cors from './plugins/cors.ts';
import docs from './plugins/docs.ts';
import drain from './plugins/drain.ts';
import errorHandler from './plugins/error-handler.ts';
import { MAX_PARAM_LENGTH, clientErrorHandler, frameworkErrors } from './plugins/framework-errors.ts';
import httpCache from './plugins/http-cache.ts';
import httpMetrics from './plugins/http-metrics.ts';
import inspectors from './plugins/inspectors.ts';
import jsonBody from './plugins/json-body.ts';
import limiter from './plugins/limiter.ts';
import pages from './plugins/pages.ts';
import pathIds from './plugins/path-ids.ts';
import pictureDrawing from './plugins/pictures.ts';
import plants from './plugins/plants.ts';
import queueProbe from './plugins/queue-probe.ts';
import rateLimit from './plugins/rate-limit.ts';
import security from './plugins/security.ts';
import services from './plugins/services.ts';
import slowClients from './plugins/slow-clients.ts';
import socketPlaces from './plugins/socket-places.ts';
import shedding from './plugins/shedding.ts';
import signedUrls from './plugins/signed-urls.ts';
import systemSampler from './plugins/system-sampler.ts';
import tenants from './plugins/tenants.ts';
import traces from './plugins/traces.ts';
import validation from './plugins/validation.ts';
import alerts from './routes/alerts.ts';
import audit from './routes/audit.ts';
import batches from './routes/batches.ts';
import events from './routes/events.ts';
import exports from './routes/exports.ts';
import graphql from './routes/graphql.ts';
import images from './routes/images.ts';
import keys from './routes/keys.ts';
import metrics from './routes/metrics.ts';
import pictures from './routes/pictures.ts';
import projects from './routes/projects.ts';
import results from './routes/results.ts';
import runs from './routes/runs.ts';
import session from './routes/session.ts';
import thumbnails from './routes/thumbnails.ts';
import upload from './routes/upload.ts';
import { withoutBase } from './way-to-root.ts';

/** What every route relies on, in the order in which a request meets it. */
const PLUGINS = [
  connections,
  slowClients,
  cors,
  httpMetrics,
  traces,
  drain,
  shedding,
  addressed,
  jsonBody,
  validation,
  pathIds,
  limiter,
  tenants,
  signedUrls,
  auth,
  rateLimit,
  socketPlaces,
  auditPlugin,
  compression,
  systemSampler,
  queueProbe,
  inspectors,
  pictureDrawing,
  docs,
];
/** In the order of an image's way: in, segmented, out. */
const ROUTES = [
  session,
  projects,
  upload,
  images,
  pictures,
  thumbnails,
  batches,
  events,
  results,
  exports,
  graphql,
  metrics,
  alerts,
  runs,
  keys,
  audit,
];

/** Libraries log what they are given, at `trace` whole requests. */
const REDACTED = ['authorization', 'cookie'].flatMap((name) =>
  ['headers', '*.headers', '*.*.headers'].map((at) => `${at}.${name}`),
);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The HTTP service, not yet listening. What is in `deps` was opened by the caller, who closes it after the app. */
export async function buildApp(deps: Services): Promise<FastifyInstance> {
  const { basePath } = deps.config;
  const app = Fastify({
    logger: { level: deps.config.logLevel, redact: REDACTED },
    logController: new LogController({ disableRequestLogging: true }),
    // A slow line may take its time with 100 files of 20 MB; a socket that sends nothing may not.
    requestTimeout: deps.config.requestTimeoutMs,
    // Its absence is answered in `addressed.ts`, in the errors' own shape; late heads are looked for as often as they can be late.
    http: {
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(30_000, deps.config.headersTimeoutMs),
    },
    bodyLimit: deps.config.maxJsonBytes,
    // Named addresses only: a number of hops is not checked against who connects.
    trustProxy: deps.config.trustedProxies.length > 0 && [...deps.config.trustedProxies],
    forceCloseConnections: 'idle',
    // What came over a connection that is still open is answered: who sent it could not know.
    return503OnClosing: false,
    frameworkErrors,
    clientErrorHandler,
    // A proxy may leave the folder that it gave to the service in the address, or take it away.
    ...(basePath !== '' && { rewriteUrl: ({ url = '/' }: IncomingMessage) => withoutBase(url, basePath) }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false, verbose: true },
      // ajv-formats takes `urn:uuid:…` as well, which PostgreSQL does not.
      onCreate: (ajv) => ajv.addFormat('uuid', UUID),
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.headersTimeout = deps.config.headersTimeoutMs;
  // Replies are built from typed rows; walking their schemas again costs more than it finds. Tests check them instead.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));

  await app.register(errorHandler);
  await app.register(security, { cdnBaseUrl: deps.config.cdnBaseUrl });
  await app.register(httpCache);
  await app.register(services, deps);
  for (const plugin of PLUGINS) await app.register(plugin);
  if (deps.config.plant.size > 0) await app.register(plants);
  if (deps.config.crashPoints !== '') await app.register(crashPoints);
  await app.register(batchesPlugin);
  await app.register(eventsPlugin);
  await app.register(exportsPlugin);
  for (const routes of ROUTES) await app.register(routes);
  await app.register(pages);
  return app;
}
