import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { pageAt } from '../way-to-root.ts';

/** Paths of the application's pages beside the gallery: all of them are one document, which reads the address itself. */
const APP_PAGES = ['/', '/images/:id', '/runs', '/runs/:id', '/capacity', '/keys'];
const NAIVE_PAGES = ['/naive', '/naive/', '/naive/*'];
const missing = (root: string) => `The pages are not built in ${root}: 'npm start' builds them first.\n`;

/** What pages must know before their first request stands in the document itself. */
const withSwitches = (html: string, { bulkResults }: Pick<Config, 'bulkResults'>) =>
  bulkResults ? html : html.replace('<html ', '<html data-bulk-results="off" ');

/** Serves the built dashboards. Assets carry their content's hash in the name and never change. */
export default fp(
  async (app: FastifyInstance) => {
    const root = app.config.dashboardsDir;
    const document = async (request: FastifyRequest, reply: FastifyReply, name: string) => {
      const html = await readFile(join(root, name)).catch(() => null);
      void reply.header('cache-control', 'no-cache');
      if (html === null) return reply.code(503).type('text/plain; charset=utf-8').send(missing(root));
      return reply
        .type('text/html; charset=utf-8')
        .send(pageAt(withSwitches(html.toString(), app.config), request.url));
    };
    const page = (url: string, name: string) =>
      app.get(url, { schema: { hide: true } }, (request, reply) => document(request, reply, name));

    for (const url of APP_PAGES) page(url, 'index.html');
    page('/projects/:id', 'gallery.html');
    for (const url of NAIVE_PAGES.filter((path) => path !== '/naive/')) page(url, 'naive.html');
    if (app.config.selftestPages || app.config.plant.size > 0) {
      page('/blocker', 'blocker.html');
      page('/blocker/*', 'blocker.html');
    }
    if (!existsSync(join(root, 'assets'))) return;
    await app.register(fastifyStatic, {
      root: join(root, 'assets'),
      prefix: '/assets/',
      preCompressed: true,
      immutable: true,
      maxAge: '365d',
      decorateReply: false,
      index: false,
      schemaHide: true,
    });
  },
  { name: 'pages', dependencies: ['services'] },
);
