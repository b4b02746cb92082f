import { createBreaker, type BreakerOptions, type BreakerState, type Outcome } from './breaker.ts';
import { publicUrl } from './urls.ts';

/** How an endpoint is asked. */
export interface Manner {
  /** Tensors go as binary data. */
  binary: boolean;
  /** It lists versions of the model, and requests name the one that they mean. */
  versioned: boolean;
}
/** What a probe found: it can be used; it cannot now; it serves another model, or serves it wrongly. */
export type ProbeResult =
  | ({ kind: 'ready' } & Manner)
  /** `certain`: it said so, or nobody listens. A busy server may just have been late. */
  | { kind: 'not-ready'; reason: string; certain: boolean }
  | { kind: 'unfit'; reason: string };

export interface EndDetail {
  /** What went wrong, without credentials. */
  error?: string;
  /** Nothing is sent there for so long, as the server asked. */
  retryAfterMs?: number;
}
export interface Lease extends Manner {
  /** Base URL with its credentials: for requests, not for messages. */
  url: string;
  /** Once; what comes again has no effect. */
  end(outcome: Outcome, detail?: EndDetail): void;
}
export interface EndpointStats {
  /** Without credentials. */
  url: string;
  ready: boolean;
  /** Null before it was ready for the first time. */
  binary: boolean | null;
  breaker: BreakerState;
  /** Requests under way. */
  pending: number;
  done: number;
  failed: number;
  refused: number;
  lastError: string | null;
  /** Mean of answered requests, weighted exponentially; null before the first. */
  latencyMs: number | null;
}
export interface BalancerOptions {
  breaker: BreakerOptions;
  /** Ms, never going back. */
  now: () => number;
}

/** Uncertain probes in a row that make a ready endpoint unready, as with Kubernetes' failureThreshold. */
const LATE_PROBES = 3;
/** Weight of the newest latency. */
const ALPHA = 0.2;
/** Longest pause that a server can ask for. */
const MAX_RETRY_AFTER_MS = 60_000;

interface Endpoint {
  url: string;
  breaker: ReturnType<typeof createBreaker>;
  ready: boolean;
  binary: boolean | null;
  versioned: boolean;
  pending: number;
  done: number;
  failed: number;
  refused: number;
  lastError: string | null;
  latencyMs: number | null;
  lateProbes: number;
  coolUntil: number;
  /** Order of the last lease, so that equals take turns. */
  turn: number;
}

/** Gives out endpoints: of the ready ones that their breakers let through, that with the fewest requests under way. */
export function createBalancer(urls: readonly string[], { breaker, now }: BalancerOptions) {
  let turns = 0;
  const endpoints = urls.map((url): Endpoint => ({
    url,
    breaker: createBreaker(breaker),
    ready: false,
    binary: null,
    versioned: false,
    pending: 0,
    done: 0,
    failed: 0,
    refused: 0,
    lastError: null,
    latencyMs: null,
    lateProbes: 0,
    coolUntil: -Infinity,
    turn: 0,
  }));

  function leaseOf(endpoint: Endpoint): Lease {
    const began = now();
    const ticket = endpoint.breaker.begin(began);
    let ended = false;
    endpoint.pending++;
    endpoint.turn = ++turns;
    return {
      url: endpoint.url,
      binary: endpoint.binary === true,
      versioned: endpoint.versioned,
      end(outcome, { error, retryAfterMs } = {}) {
        if (ended) return;
        ended = true;
        const at = now();
        endpoint.pending--;
        endpoint.breaker.end(ticket, outcome, at);
        if (error !== undefined) endpoint.lastError = error;
        if (retryAfterMs !== undefined) endpoint.coolUntil = at + Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
        if (outcome === 'failed' || outcome === 'refused') endpoint[outcome]++;
        if (outcome !== 'ok') return;
        endpoint.done++;
        endpoint.lateProbes = 0;
        const latencyMs = at - began;
        endpoint.latencyMs =
          endpoint.latencyMs === null ? latencyMs : endpoint.latencyMs + ALPHA * (latencyMs - endpoint.latencyMs);
      },
    };
  }

  return {
    /** An endpoint to send one request to; null when none can be had. @param excluding URLs that were tried already */
    lease(excluding: readonly string[]): Lease | null {
      const at = now();
      let best: Endpoint | null = null;
      for (const endpoint of endpoints) {
        const { url, ready, breaker: guard, coolUntil, pending, turn } = endpoint;
        if (!ready || excluding.includes(url) || at < coolUntil || !guard.allows(at)) continue;
        if (best === null || pending < best.pending || (pending === best.pending && turn < best.turn)) best = endpoint;
      }
      return best && leaseOf(best);
    },
    /** Takes in what a probe of this endpoint found. @returns whether it is ready now */
    probed(url: string, result: ProbeResult): boolean {
      const endpoint = endpoints.find((each) => each.url === url)!;
      if (result.kind === 'ready') {
        // One that comes back has been started anew, or its network has: it need not wait for its pause to end.
        if (!endpoint.ready) endpoint.breaker.reset();
        endpoint.ready = true;
        endpoint.binary = result.binary;
        endpoint.versioned = result.versioned;
        endpoint.lateProbes = 0;
        return true;
      }
      endpoint.lastError = result.reason;
      endpoint.lateProbes++;
      if (result.kind === 'unfit' || result.certain || endpoint.lateProbes >= LATE_PROBES) endpoint.ready = false;
      return endpoint.ready;
    },
    ready: (): number => endpoints.filter((endpoint) => endpoint.ready).length,
    stats(): EndpointStats[] {
      const at = now();
      return endpoints.map(({ url, breaker: guard, ...endpoint }) => {
        const { ready, binary, pending, done, failed, refused, lastError, latencyMs } = endpoint;
        const counts = { pending, done, failed, refused };
        return { url: publicUrl(url), ready, binary, breaker: guard.state(at), ...counts, lastError, latencyMs };
      });
    },
  };
}
export type Balancer = ReturnType<typeof createBalancer>;
