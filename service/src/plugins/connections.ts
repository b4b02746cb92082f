import { BlockList, isIPv6, type Socket } from 'node:net';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { addressGroup } from '../limits/address.ts';
import { createPlaces } from '../limits/places.ts';

/** Ranges behind the names that `TRUSTED_PROXIES` takes beside addresses. */
const NAMED: Record<string, readonly string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Whether an address is one of the proxies', which bring the connections of everybody. */
export function proxyTest(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of proxies.flatMap((proxy) => NAMED[proxy] ?? [proxy])) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  // BlockList sees through ::ffff:a.b.c.d by itself.
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Bounds how many connections there are, and how many an address may have. One over that is closed at once: nothing of it is read. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, metrics, server } = app;
    const places = createPlaces({ total: config.connections, each: config.connectionsPerAddress });
    const isProxy = proxyTest(config.trustedProxies);
    let refused = 0;
    metrics.gauge('segbench_connections', 'Open connections.', () => places.total());
    metrics.gauge('segbench_connections_limit', 'Open connections that this process allows.', () => config.connections);
    metrics.counter('segbench_connections_refused_total', 'Connections over a limit, closed at once.', () => refused);
    server.prependListener('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? '';
      const taken = places.take(isProxy(address) ? [] : [addressGroup(address)]);
      if (typeof taken === 'function') return void socket.once('close', taken);
      refused++;
      socket.destroy();
    });
  },
  { name: 'connections', dependencies: ['services'] },
);
