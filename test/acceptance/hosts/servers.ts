/**
 * PostgreSQL and two Redis on one host, reached at the host's own address:
 *   node servers.ts ADDRESS      (5432 PostgreSQL, 6379 queue, 6380 cache)
 */
import { connect, createServer } from 'node:net';
import { startEnvironment } from '../../../loadtest/src/environment/index.ts';
import { migrate } from '../../../service/src/database/migrate.ts';
import { untilEnded } from './message.ts';

const [address = ''] = process.argv.slice(2);
const environment = await startEnvironment({ kind: 'embedded', log: (line) => console.error(`servers: ${line}`) });
untilEnded(() => environment.stop());
await migrate(environment.databaseUrl);
// they listen on 127.0.0.1, with passwords of their own that go out with the message below

/** Passes connections on; one side's end is the other's. */
async function forward(port: number, url: string): Promise<string> {
  const { hostname: toHost, port: toPort } = new URL(url);
  const server = createServer({ allowHalfOpen: false }, (client) => {
    const upstream = connect(Number(toPort), toHost);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return Object.assign(new URL(url), { hostname: address, port: String(port) }).href;
}

process.send?.({
  type: 'ready',
  settings: {
    DATABASE_URL: await forward(5432, environment.databaseUrl),
    QUEUE_REDIS_URL: await forward(6379, environment.queueRedisUrl),
    CACHE_REDIS_URL: await forward(6380, environment.cacheRedisUrl),
  },
});
