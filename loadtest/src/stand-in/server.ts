import { formatCounts, IMAGE_COUNTS } from '#contract/index-format.ts';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import sharp from 'sharp';
import { WebSocketServer } from 'ws';
import { encodeBulkHeader, encodeBulkNull, encodeBulkResult, encodeBulkTrailer } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { EventsFrame } from '#contract/events.ts';
import type { NowReply } from '#contract/now.ts';
import type { Result, ResultsBody } from '#contract/results.ts';
import { pageAt } from '../../../service/src/way-to-root.ts';
import type { MockProject } from './project.ts';
import { IMAGE_PX } from './results.ts';
import { operatorReply } from './replies.ts';

const DIST = path.resolve(import.meta.dirname, '../../../dashboards/dist');
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export interface MockServer {
  url: string;
  /** Method and path, with ids as `:id`, of every request so far. */
  requests: string[];
  /** What pages said on their event sockets. */
  said: string[];
  /** Closes all event sockets, as a broken connection would. */
  dropSockets(): void;
  close(): Promise<void>;
}

/** The service as the pages see it, for one project in memory: `/api`, `/api/events` and the built pages. */
export async function startMockServer(options: {
  project: MockProject;
  /** Decides when the images of a new batch are done; `imageIds` where only some were named. */
  run: (batch: ReturnType<MockProject['newBatch']>, imageIds?: string[]) => void;
  /** Places of images whose results carry the warning. */
  unlike?: readonly number[];
  port?: number;
  /** Folder of the built pages. */
  dist?: string;
  signedOut?: boolean;
  /** Answers `GET /api/now`. */
  now?: () => NowReply;
  /** Final states carry a place in a trace. */
  traced?: boolean;
  /** While it is, no request is answered and no socket stays open. */
  silent?: () => boolean;
  /** Answers a route otherwise than usual, with JSON; undefined: as usual. */
  answer?: (route: string) => { status?: number; body: unknown } | undefined;
}): Promise<MockServer> {
  const { project } = options;
  const requests: string[] = [];
  const said: string[] = [];
  const thumbnail = await sharp({ create: { width: 160, height: 160, channels: 3, background: '#2b3440' } })
    .composite([
      { input: Buffer.from('<svg width="160" height="160"><circle cx="80" cy="80" r="55" fill="#7d8894"/></svg>') },
    ])
    .webp()
    .toBuffer();

  function resultOf(position: number): Result | null {
    const image = project.images[position]!;
    if (!image.result || !image.batchId) return null;
    const { polygons, polygonCount } = image.result;
    return {
      imageId: image.id,
      batchId: image.batchId,
      status: 'completed',
      model: 'nuclei',
      modelVersion: '1',
      threshold: 0.5,
      imageWidth: IMAGE_PX,
      imageHeight: IMAGE_PX,
      polygonCount,
      processingTimeMs: 20,
      stages: { decode: 2, infer: 15 },
      ...(options.unlike?.includes(position) && { warnings: ['UNLIKE_TRAINING_DATA'] }),
      polygons,
    };
  }
  function bulk(body: ResultsBody): Buffer {
    const parts: Uint8Array[] = [encodeBulkHeader()];
    const ids = body.imageIds ?? project.images.filter(({ batchId }) => batchId === body.batchId).map(({ id }) => id);
    let bytes = 0;
    let next = Number(body.cursor ?? 0);
    for (; next < ids.length && bytes < (body.maxBytes ?? Infinity); next++) {
      const position = project.positionOf(ids[next]!);
      const result = resultOf(position);
      const { polygons: _, ...meta } = result ?? { polygons: [], imageId: ids[next]! };
      const part = result
        ? encodeBulkResult(meta, project.images[position]!.result!.encoded)
        : encodeBulkNull(ids[next]!);
      parts.push(part);
      bytes += part.length;
    }
    parts.push(encodeBulkTrailer({ missing: [], nextCursor: next < ids.length ? String(next) : null }));
    return Buffer.concat(parts);
  }
  async function api(request: IncomingMessage, url: URL, route: string): Promise<unknown> {
    const imagePosition = project.positionOf(url.pathname.split('/')[3] ?? '');
    const offset = Number(url.searchParams.get('offset') ?? 0);
    switch (route) {
      case 'POST /api/session':
        return {};
      case 'GET /api/projects/:id':
        return project.project();
      case 'GET /api/projects':
        return { items: [project.project()], total: 1, limit: 100, offset: 0, nextCursor: null };
      case 'GET /api/projects/:id/index':
        return new Response(project.index(Object.fromEntries(url.searchParams)), {
          headers: { [IMAGE_COUNTS]: formatCounts(project.counts()) },
        });
      case 'GET /api/projects/:id/images':
        return { items: project.images.slice(offset, offset + 500).map((_, i) => project.image(offset + i)) };
      case 'GET /api/projects/:id/batches':
        return { items: project.batches.toReversed() };
      case 'POST /api/projects/:id/batches': {
        const { imageIds } = (await readJson(request)) as { imageIds?: string[] };
        const batch = project.newBatch(imageIds);
        setImmediate(() => options.run(batch, imageIds));
        return structuredClone(batch);
      }
      case 'GET /api/batches/:id':
        return project.batches.find(({ id }) => url.pathname.endsWith(id));
      case 'POST /api/segmentation/batch/results':
        return bulk((await readJson(request)) as ResultsBody);
      case 'GET /api/images/:id':
        return project.image(imagePosition);
      case 'GET /api/images/:id/segmentation':
        return resultOf(imagePosition);
      case 'GET /api/images/:id/render':
        return thumbnail;
      case 'GET /api/thumbnails': {
        const parts = new FormData();
        for (const id of url.searchParams.get('ids')!.split(',')) parts.append(id, new Blob([thumbnail]), id);
        return new Response(parts);
      }
      case 'GET /api/now':
        return options.now?.() ?? operatorReply(route);
      case 'GET /api/batches/:id/failures':
        return { batchId: url.pathname.split('/')[3], total: 0, groups: [] };
      default:
        return operatorReply(route);
    }
  }
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (options.silent?.()) return void request.socket.destroy();
    const url = new URL(request.url ?? '/', 'http://mock');
    if (!url.pathname.startsWith('/api/')) return sendPage(options.dist ?? DIST, url.pathname, response);
    if (options.signedOut && url.pathname !== '/api/session') {
      const body = { statusCode: 401, code: 'UNAUTHENTICATED', error: 'Unauthorized', message: 'Sign in first.' };
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    const route = `${request.method} ${url.pathname.replaceAll(/[0-9a-f-]{36}/g, ':id')}`;
    requests.push(route);
    const other = options.answer?.(route);
    if (other) {
      const { status = 200, body } = other;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    const reply = await api(request, url, route);
    if (reply === undefined)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"unknown"}');
    else if (reply instanceof Uint8Array) {
      const type = url.pathname.endsWith('/render') ? 'image/webp' : POLYGONS_MIME;
      response.writeHead(200, { 'content-type': type }).end(reply);
    } else if (reply instanceof Response) {
      response.writeHead(200, Object.fromEntries(reply.headers)).end(new Uint8Array(await reply.arrayBuffer()));
    } else {
      const signedIn = url.pathname === '/api/session' && { 'set-cookie': 'session=mock; Path=/' };
      response.writeHead(200, { 'content-type': 'application/json', ...signedIn }).end(JSON.stringify(reply));
    }
  }
  const server = createServer((request, response) => void handle(request, response));
  const sockets = new WebSocketServer({ server, path: '/api/events' });
  sockets.on('connection', (socket, request) => {
    if (options.silent?.()) return socket.terminate();
    const query = new URL(request.url ?? '/', 'http://mock').searchParams;
    const send = (frame: object) => socket.send(JSON.stringify(frame));
    const { epoch, log } = project;
    send({ type: 'hello', projectId: project.id, epoch, seq: project.seq });
    const since = Number(query.get('since') ?? project.seq);
    const missed = log.slice(since);
    if (query.get('epoch') === epoch && missed.length > 0)
      send({
        type: 'events',
        epoch,
        from: since + 1,
        to: project.seq,
        events: missed,
        batches: project.batches.map(project.stateOf),
      });
    socket.on('message', (data: Buffer) => said.push(data.toString()));
    const listener = (plain: EventsFrame): void => {
      const frame = options.traced ? withTraces(plain) : plain;
      if (query.get('window') !== '0') return send(frame);
      for (const event of frame.events) send({ ...frame, from: event.seq, to: event.seq, events: [event] });
    };
    project.listeners.add(listener);
    socket.on('close', () => project.listeners.delete(listener));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    said,
    dropSockets: () => sockets.clients.forEach((socket) => socket.terminate()),
    async close() {
      sockets.clients.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const withTraces = (frame: EventsFrame): EventsFrame => ({
  ...frame,
  events: frame.events.map((event) => ({ ...event, traceparent: TRACEPARENT })),
});

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function sendPage(dist: string, pathname: string, response: ServerResponse): Promise<void> {
  const asset = pathname.startsWith('/assets/');
  const [, first = ''] = /^\/(naive|blocker|projects)\//.exec(pathname) ?? [];
  const entry = first === 'projects' ? 'gallery' : first || 'index';
  const file = asset ? path.join(dist, path.normalize(pathname)) : path.join(dist, `${entry}.html`);
  try {
    const type = TYPES[path.extname(file)] ?? 'text/html';
    const content = await readFile(file);
    response.writeHead(200, { 'content-type': type }).end(asset ? content : pageAt(content.toString(), pathname));
  } catch {
    response.writeHead(404).end();
  }
}
