import { createBalancer, type Balancer } from '../../../src/inference/kserve/balancer.ts';
import { createLeases } from '../../../src/inference/kserve/leases.ts';
import { createKserveSession, type KserveSessionOptions } from '../../../src/inference/kserve/session.ts';
import type { RunOptions } from '../../../src/inference/session.ts';
import { CARD, startScripted, type Inference, type Scripted } from './scripted-server.ts';

export const [WIDTH, HEIGHT] = [32, 16];
const PIXELS = WIDTH * HEIGHT;
export const input = (count = 1): Float32Array =>
  Float32Array.from({ length: count * PIXELS }, (_, i) => Math.fround((i % 97) / 64));

const opened: Scripted[] = [];
export const closeScripted = () => Promise.all(opened.splice(0).map((server) => server.close()));
export async function scripted(infer?: Scripted['state']['infer']): Promise<Scripted> {
  const server = await startScripted(infer && { infer });
  opened.push(server);
  return server;
}
/** A session over endpoints that are all ready. */
export function sessionOf(
  urls: string[],
  { binary = true, ...options }: Partial<KserveSessionOptions> & { binary?: boolean } = {},
) {
  const breaker = { failures: 100, pauseMs: 100, maxPauseMs: 1000 };
  const balancer: Balancer = createBalancer(urls, { breaker, now: () => performance.now() });
  const versioned = options.version !== undefined;
  for (const url of urls) balancer.probed(url, { kind: 'ready', binary, versioned });
  const leases = createLeases(balancer);
  const session = createKserveSession({
    card: CARD,
    timeoutMs: 5000,
    lease: (excluding) => Promise.resolve(leases.lease('child', excluding)),
    end: (...ended) => leases.end(...ended),
    ...options,
  });
  const run = (limits: RunOptions = {}) => session.run(input(), WIDTH, HEIGHT, 1, limits);
  /** A request of somebody else, to another server than these. */
  const occupy = (...excluding: string[]) => void leases.lease('another', excluding);
  return { session, run, occupy, stats: () => balancer.stats(), held: leases.size };
}
/** Answers so. */
export const failing =
  (status: number, error: string, headers = {}) =>
  ({ response }: Inference) =>
    void response.writeHead(status, headers).end(JSON.stringify({ error }));
