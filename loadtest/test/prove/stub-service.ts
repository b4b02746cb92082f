import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** What is wrong with a service on purpose. Images are told by their place in the order of upload, from 0. */
export interface StubPlants {
  /** No event of its end. */
  lose?: number;
  /** Its end is told twice, under two numbers. */
  double?: number;
  /** Its end is told so long after it. */
  late?: { image: number; ms: number };
  /** Completed, and no result. */
  noResult?: number;
  /** Accepted, and never ends. */
  neverEnds?: number;
  /** Told completed, while it is failed. */
  wrongEnd?: number;
  /** The batcher keeps one window's writes by image, and a late "processing" replaces the end in it: every 25th image's. */
  lastWriteWins?: boolean;
  /** A client that comes back gets what it missed twice. */
  replayTwice?: boolean;
  /** The service is killed when so many images have ended. */
  diesAfter?: number;
  /** Events have no numbers, and nothing is replayed. */
  unnumbered?: boolean;
}

interface StubEvent {
  imageId: string;
  status: string;
  sequence?: number;
}

const WINDOW_MS = 10;

/** A service with the routes of `examples/adapters/minimal.ts`, in this process: five images a turn, healthy but for what is planted. */
export async function startStub(plants: StubPlants = {}) {
  const images: { id: string; status: string; body: number }[] = [];
  const log: StubEvent[] = [];
  const clients = new Set<WebSocket>();
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const seen = { connections: 0, calls: new Map<string, number>() };
  let window = new Map<string, StubEvent>();

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const send = (event: StubEvent): void => {
    const sent = plants.unnumbered ? event : { ...event, sequence: log.length + 1 };
    log.push(sent);
    for (const client of clients) client.send(JSON.stringify(sent));
  };
  const flush = (): void => {
    const events = window;
    window = new Map();
    for (const event of events.values()) send(event);
  };
  const write = (event: StubEvent): void => void window.set(`${event.imageId} ${event.status}`, event);

  function endOf(at: number): void {
    const image = images[at]!;
    if (at === plants.neverEnds) return;
    image.status = at === plants.wrongEnd ? 'failed' : 'completed';
    const event = { imageId: image.id, status: 'completed' };
    if (at === plants.lose) return;
    if (plants.late?.image === at) return later(plants.late.ms, () => send(event));
    if (at === plants.double) send(event);
    write(event);
    // The planted batcher: the last write of an image is what its window keeps.
    if (plants.lastWriteWins && at % 25 === 7) {
      window.delete(`${image.id} completed`);
      write({ imageId: image.id, status: 'processing' });
    }
  }
  function run(ids: readonly string[]): void {
    const places = ids.map((id) => images.findIndex((image) => image.id === id));
    const turn = (): void => {
      const some = places.splice(0, 5);
      for (const at of some) {
        images[at]!.status = 'processing';
        write({ imageId: images[at]!.id, status: 'processing' });
      }
      flush();
      for (const at of some) endOf(at);
      flush();
      if (images.filter(({ status }) => status === 'completed').length >= (plants.diesAfter ?? Infinity))
        return void kill();
      if (places.length > 0) later(WINDOW_MS, turn);
    };
    turn();
  }

  function answer(path: string, body: Buffer): { status: number; reply: unknown } {
    seen.calls.set(path, (seen.calls.get(path) ?? 0) + 1);
    if (path === '/images') {
      const id = `image-${images.length}`;
      images.push({ id, status: 'uploaded', body: body.length });
      return { status: 201, reply: { id } };
    }
    const { imageIds } = JSON.parse(body.toString()) as { imageIds: string[] };
    if (path === '/runs') {
      later(0, () => run(imageIds));
      return { status: 202, reply: {} };
    }
    const stateOf = (imageId: string) => {
      const at = images.findIndex(({ id }) => id === imageId);
      const status = images[at]?.status ?? 'unknown';
      return { imageId, status, result: status === 'completed' && at !== plants.noResult };
    };
    return { status: 200, reply: imageIds.map(stateOf) };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, reply } = answer(request.url ?? '', Buffer.concat(chunks));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const hub = new WebSocketServer({ server });
  hub.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const after = Number(new URL(request.url ?? '', 'http://stub').searchParams.get('after'));
    const isBack = seen.connections++ > 0;
    const missed = plants.unnumbered ? [] : log.slice(after);
    for (let time = 0; time < (isBack && plants.replayTwice ? 2 : 1); time++)
      for (const event of missed) socket.send(JSON.stringify(event));
    clients.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => clients.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  /** As a process that is killed: every connection is reset, and nobody listens any more. */
  function kill(): Promise<void> {
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets) socket.resetAndDestroy();
    hub.close();
    return new Promise((resolve) => server.close(() => resolve()));
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    kill,
  };
}
export type Stub = Awaited<ReturnType<typeof startStub>>;
