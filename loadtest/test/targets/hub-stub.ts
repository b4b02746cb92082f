import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export interface HubPlants {
  /** The end of this image, by its place, is not said. */
  lose?: number;
  /** Ends failed, after which it is in no queue. */
  fail?: number;
  /** Ends without any object: "no_segmentation", with an empty result. */
  empty?: number;
  /** Its socket says of an end so long after the result is there. */
  slowSocketMs?: number;
  /** Every token ends with the next call. */
  shortTokens?: boolean;
}

const EMAIL = 'user@example.com';
const PASSWORD = 'secret';

/**
 * What speaks the part of the hub's API that its adapter uses: cookies from a login, `{success, data}`, multipart uploads of the
 * field `images`, the queue, results by id, and Socket.IO with a room a user. Written from its routes; nothing of it runs here.
 */
export async function startHub(plants: HubPlants = {}) {
  const images = new Map<string, { name: string; status: string; at: number; result: object | null }>();
  const queue = new Map<string, 'queued' | 'processing'>();
  const sockets = new Set<Socket>();
  const clients = new Set<WebSocket>();
  const timers = new Set<NodeJS.Timeout>();
  const project = randomUUID();
  const seen = { logins: 0, pongs: 0, connections: 0 };
  let token = '';

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => (timers.delete(timer), work()), ms);
    timers.add(timer);
  };
  const say = (name: string, data: object): void => {
    for (const client of clients) client.send(`42${JSON.stringify([name, data])}`);
  };
  const update = (imageId: string, status: string, more: object = {}): void =>
    say('segmentation-update', { imageId, projectId: project, status, queueId: 'q', ...more });

  function work(ids: string[]): void {
    const turn = (): void => {
      for (const id of ids.splice(0, 4)) {
        const image = images.get(id)!;
        queue.set(id, 'processing');
        update(id, 'processing');
        const isFailed = image.at === plants.fail;
        const isEmpty = image.at === plants.empty;
        image.result = isFailed ? null : { success: true, polygons: isEmpty ? [] : [{ id: 'p', points: [] }] };
        image.status = isFailed ? 'failed' : isEmpty ? 'no_segmentation' : 'segmented';
        queue.delete(id);
        if (image.at === plants.lose) continue;
        const tell = (): void => {
          update(id, image.status, isFailed ? { error: 'Unknown error' } : {});
          if (!isFailed) say('notification', { type: 'segmentation-complete', imageId: id, projectId: project });
        };
        if (plants.slowSocketMs) later(plants.slowSocketMs, tell);
        else tell();
      }
      // Another project's images come to the same room.
      say('segmentation-update', { imageId: randomUUID(), projectId: randomUUID(), status: 'segmented' });
      for (const client of clients) client.send('2');
      if (ids.length > 0) later(15, turn);
    };
    turn();
  }

  async function answer(
    method: string,
    path: string,
    request: Request,
  ): Promise<{ status: number; data?: unknown; cookie?: string }> {
    const { pathname, searchParams } = new URL(path, 'http://hub');
    if (pathname === '/api/auth/login') {
      const { email, password } = (await request.json()) as { email: string; password: string };
      if (email !== EMAIL || password !== PASSWORD) return { status: 401 };
      seen.logins++;
      token = randomUUID();
      return {
        status: 200,
        data: { user: { email } },
        cookie: `access_token=${token}; Path=/; HttpOnly; SameSite=Strict`,
      };
    }
    if (request.headers.get('cookie') !== `access_token=${token}`) return { status: 401 };
    if (plants.shortTokens && pathname !== '/api/projects') token = '';
    if (method === 'POST' && pathname === '/api/projects') {
      const { title } = (await request.json()) as { title?: string };
      return title ? { status: 201, data: { id: project, title } } : { status: 400 };
    }
    if (method === 'POST' && pathname === `/api/projects/${project}/images`) {
      const files = (await request.formData()).getAll('images') as File[];
      if (files.length === 0 || files.length > 100) return { status: 400 };
      const taken = files.map(({ name }) => {
        const id = randomUUID();
        images.set(id, { name, status: 'no_segmentation', at: Number(/\d+/.exec(name)?.[0]), result: null });
        return { id, name };
      });
      return { status: 200, data: { images: taken, count: taken.length, failedCount: 0 } };
    }
    if (method === 'GET' && pathname === `/api/projects/${project}/images`) {
      const found = [...images].filter(([, { status }]) => status === searchParams.get('status'));
      return { status: 200, data: { images: found.map(([id]) => ({ id })), pagination: { page: 1, totalPages: 1 } } };
    }
    if (method === 'POST' && pathname === '/api/queue/batch') {
      const { imageIds, projectId } = (await request.json()) as { imageIds: string[]; projectId: string };
      if (projectId !== project) return { status: 404 };
      for (const id of imageIds) {
        queue.set(id, 'queued');
        update(id, 'queued');
      }
      later(5, () => work([...imageIds]));
      return { status: 200, data: { queuedCount: imageIds.length, totalRequested: imageIds.length, queueEntries: [] } };
    }
    if (method === 'GET' && pathname === `/api/queue/projects/${project}/items`)
      return { status: 200, data: [...queue].map(([imageId, status]) => ({ imageId, projectId: project, status })) };
    if (method === 'POST' && pathname === '/api/segmentation/batch/results') {
      const { imageIds } = (await request.json()) as { imageIds: string[] };
      if (imageIds.length === 0 || imageIds.length > 1000) return { status: 400 };
      const known = imageIds.filter((id) => images.has(id));
      return { status: 200, data: Object.fromEntries(known.map((id) => [id, images.get(id)!.result])) };
    }
    return { status: 404 };
  }

  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = 'GET', url = '' } = incoming;
      const headers = new Headers();
      for (const name of ['cookie', 'content-type']) headers.set(name, String(incoming.headers[name] ?? ''));
      const body = method === 'POST' ? Buffer.concat(parts) : null;
      void answer(method, url, new Request(`http://hub${url}`, { method, headers, body })).then(
        ({ status, data, cookie }) => {
          const reply = status < 300 ? { success: true, data } : { success: false, error: `status ${status}` };
          outgoing.writeHead(status, {
            'content-type': 'application/json',
            ...(cookie ? { 'set-cookie': cookie } : {}),
          });
          outgoing.end(JSON.stringify(reply));
        },
      );
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const hub = new WebSocketServer({ server, path: '/socket.io/' });
  hub.on('connection', (client: WebSocket, request: IncomingMessage) => {
    const isKnown = /access_token=./.test(request.headers.cookie ?? '');
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));
    client.send(`0${JSON.stringify({ sid: randomUUID(), upgrades: [], pingInterval: 25_000, pingTimeout: 20_000 })}`);
    client.on('message', (data: Buffer) => {
      if (data.toString() === '3') seen.pongs++;
      if (data.toString() !== '40') return;
      if (!isKnown) return client.send('44{"message":"Authentication token required"}');
      seen.connections++;
      client.send(`40${JSON.stringify({ sid: randomUUID() })}`);
      clients.add(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    settings: {
      HUB_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      HUB_EMAIL: EMAIL,
      HUB_PASSWORD: PASSWORD,
    },
    seen,
    close(): Promise<void> {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      hub.close();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
