import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createPaceKeeper } from '../limits/pace.ts';

/** Of a window: how often it is looked at. */
const CHECKS = 10;
const MAX_CHECK_MS = 2_000;

/**
 * Bytes that the system has taken from this process: the whole of a large chunk counts as it goes, which `writableLength` alone does
 * not show. Node's own timeout looks at the same number.
 */
function sentBytes(socket: Socket): number {
  const { _handle: handle } = socket as Socket & {
    _handle?: { bytesWritten?: number; writeQueueSize?: number } | null;
  };
  return handle?.bytesWritten === undefined
    ? socket.bytesWritten - socket.writableLength
    : handle.bytesWritten - (handle.writeQueueSize ?? 0);
}
const isUpgraded = (raw: IncomingMessage) => 'upgrade' in raw && raw.upgrade === true;

/**
 * Cuts clients that are waited for: bodies that hardly come (408), and answers that are hardly taken. Slow lines are served; each
 * window of `SLOW_BODY_MS` or `SLOW_READER_MS` must move `SLOW_BYTES_PER_SECOND`. Heads that do not come are `HEADERS_TIMEOUT_MS`'.
 * Sockets that were upgraded have rules of their own.
 */
export default fp(
  async (app: FastifyInstance) => {
    const { config, server, metrics } = app;
    const { slowBytesPerSecond: bytesPerSecond, slowBodyMs, slowReaderMs } = config;
    const bodies = new Map<IncomingMessage, { reply: FastifyReply; isTooSlow: ReturnType<typeof createPaceKeeper> }>();
    const readers = new Map<Socket, ReturnType<typeof createPaceKeeper>>();
    const counts = { body: 0, reader: 0 };
    metrics.counter('segbench_slow_bodies_cut_total', 'Requests whose body came too slowly.', () => counts.body);
    metrics.counter(
      'segbench_slow_readers_cut_total',
      'Connections that took their answers too slowly.',
      () => counts.reader,
    );

    app.addHook('onRequest', async ({ raw }, reply) => {
      if (isUpgraded(raw)) return void readers.delete(raw.socket);
      // Nothing more comes of one without a body, and Node says so before anybody reads.
      if (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined) return;
      bodies.set(raw, { reply, isTooSlow: createPaceKeeper({ bytesPerSecond, windowMs: slowBodyMs }) });
      const over = () => bodies.delete(raw);
      raw.once('end', over).once('close', over);
    });
    server.on('connection', (socket: Socket) => {
      readers.set(socket, createPaceKeeper({ bytesPerSecond, windowMs: slowReaderMs }));
      socket.once('close', () => readers.delete(socket));
    });

    /** @param isLate this process itself did nothing for a while: nobody can be blamed for that window */
    function checkBodies(now: number, isLate: boolean): void {
      for (const [raw, { reply, isTooSlow }] of bodies) {
        // Who has not read what came, or has stopped it, is this process.
        const isWaitedFor = !isLate && raw.readableFlowing === true && raw.readableLength === 0;
        if (!isTooSlow(now, raw.socket.bytesRead, isWaitedFor)) continue;
        bodies.delete(raw);
        counts.body++;
        if (reply.raw.headersSent) raw.socket.destroy();
        // As Node itself ends a request that is late: `clientErrorHandler` answers.
        else
          server.emit(
            'clientError',
            Object.assign(new Error('slow body'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
            raw.socket,
          );
      }
    }
    function checkReaders(now: number, isLate: boolean): void {
      for (const [socket, isTooSlow] of readers) {
        if (!isTooSlow(now, sentBytes(socket), !isLate && socket.writableLength > 0)) continue;
        counts.reader++;
        socket.destroy();
      }
    }
    const everyMs = Math.min(MAX_CHECK_MS, Math.max(10, Math.min(slowBodyMs, slowReaderMs) / CHECKS));
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const isLate = now - last > 5 * everyMs;
      last = now;
      checkBodies(now, isLate);
      checkReaders(now, isLate);
    }, everyMs).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  },
  { name: 'slow-clients', dependencies: ['services'] },
);
