import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

/**
 * The parts of a multipart body, at most `maxBytes` of it: a client that sends more without having said so is cut off. When the
 * reader stops early, the rest is read and dropped, because many clients look for the answer only after their last byte.
 */
export async function* boundedParts(request: FastifyRequest, maxBytes: number): AsyncGenerator<Multipart> {
  const { raw } = request;
  const parts = request.parts()[Symbol.asyncIterator]();
  // The first call connects the parser; a listener before that would make the body flow into nothing.
  let next = parts.next();
  let bytes = 0;
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) raw.destroy(new Error(`body over ${maxBytes} bytes`));
  });
  try {
    for (let part = await next; !part.done; part = await next) {
      yield part.value;
      next = parts.next();
    }
  } finally {
    if (!raw.readableEnded && !raw.destroyed) {
      raw.unpipe();
      raw.resume();
    }
  }
}
