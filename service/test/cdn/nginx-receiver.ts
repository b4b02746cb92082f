import { open, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** nginx writes a header of its own, then the key in a line. */
const HEAD_BYTES = 4096;
const KEY = /\nKEY: ([^\n]*)\n/;

async function keyOf(file: string): Promise<string | null> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return KEY.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? null;
  } finally {
    await handle.close();
  }
}

/**
 * Answers `PURGE /purge/api/images/ID/` beside an nginx by removing the cached files whose key begins with that path. nginx finds an
 * entry without its file to be a miss, and asks the service. Its own PURGE is part of the paid version.
 */
export async function startReceiver(cacheDir: string, token: string) {
  const purged: string[] = [];
  const purge = async (prefix: string): Promise<number> => {
    const entries = await readdir(cacheDir, { recursive: true, withFileTypes: true });
    let removed = 0;
    for (const entry of entries.filter((each) => each.isFile())) {
      const file = join(entry.parentPath, entry.name);
      if (!(await keyOf(file))?.startsWith(prefix)) continue;
      await rm(file, { force: true });
      removed++;
    }
    purged.push(prefix);
    return removed;
  };
  const server = createServer((request, reply) => {
    const isAllowed =
      request.method === 'PURGE' &&
      request.headers.authorization === `Bearer ${token}` &&
      request.url?.startsWith('/purge/api/');
    if (!isAllowed) return void reply.writeHead(403).end();
    purge((request.url ?? '').replace(/^\/purge/, '')).then(
      (removed) => reply.end(`${removed}\n`),
      (error: unknown) => reply.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    purged,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
