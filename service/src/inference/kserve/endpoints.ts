import { setTimeout as wait } from 'node:timers/promises';
import type { ModelCard } from '../model.ts';
import { NotYet } from '../failure.ts';
import { createBalancer, type EndpointStats, type Lease, type Manner, type ProbeResult } from './balancer.ts';
import type { BreakerOptions } from './breaker.ts';
import { createProbe, type Probe } from './probe.ts';
import { publicUrl } from './urls.ts';

export interface EndpointsOptions {
  /** Of `parseKserveUrls`. */
  urls: readonly string[];
  card: ModelCard;
  /** The model's version: asked for, and required, of servers that list versions. */
  version?: string;
  /** From the end of a probe to the next one of the same endpoint. */
  probeEveryMs?: number;
  probeTimeoutMs?: number;
  trialTimeoutMs?: number;
  /** How long `load` waits for the first endpoint. */
  loadTimeoutMs?: number;
  breaker?: Partial<BreakerOptions>;
  log?: (level: 'info' | 'warn', message: string) => void;
  fetch?: typeof fetch;
  /** Instead of `createProbe`. */
  probeFor?: (model: { card: ModelCard; version?: string | undefined }) => Probe;
  now?: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}
export interface Endpoints {
  /**
   * Begins to probe. Resolves when each endpoint was probed and one at least is ready; rejects when one serves another model than
   * the card's, or none becomes ready in time.
   */
  load(): Promise<void>;
  /** From now on another version of the model. @throws NotYet, and changes nothing, while no endpoint serves it */
  expect(card: ModelCard, version: string): Promise<void>;
  /** For one request; null when no endpoint can be had. @param excluding URLs that were tried already */
  lease(excluding: readonly string[]): Lease | null;
  /** How many are ready. */
  ready(): number;
  stats(): EndpointStats[];
  /** Ends the probes. */
  close(): void;
}

const BREAKER: BreakerOptions = { failures: 5, pauseMs: 1000, maxPauseMs: 30_000 };

const sleepUnlessAborted = (ms: number, signal: AbortSignal) =>
  wait(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });

/** The inference servers that one process sends to: who is ready, who is broken, whose turn it is. */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { urls, probeEveryMs = 2000, probeTimeoutMs = 2000, trialTimeoutMs = 60_000 } = options;
  const { loadTimeoutMs = 60_000, log = () => {}, sleep = sleepUnlessAborted, now = () => performance.now() } = options;
  const balancer = createBalancer(urls, { now, breaker: { ...BREAKER, ...options.breaker } });
  const http = { timeoutMs: probeTimeoutMs, trialTimeoutMs, ...(options.fetch && { fetch: options.fetch }) };
  const probeFor = options.probeFor ?? ((model) => createProbe({ ...http, ...model }));
  let model = { card: options.card, version: options.version };
  let probe = probeFor(model);
  const closing = new AbortController();
  const { signal } = closing;
  const latest = new Map<string, ProbeResult>();
  /** What each endpoint that is ready was found to understand, and by which probe. */
  const known = new Map<string, { by: Probe; manner: Manner }>();
  let changed = () => {};

  const askedBy = (ask: Probe, url: string, manner: Manner | null): Promise<ProbeResult> =>
    ask(url, manner, signal).catch((error: unknown) => {
      return { kind: 'not-ready', reason: `${publicUrl(url)}: ${String(error)}`, certain: false };
    });

  /** @returns whether the endpoint is ready now */
  function learn(url: string, by: Probe, result: ProbeResult): boolean {
    const is = balancer.probed(url, result);
    // One that comes back may be another program: it is examined anew.
    if (!is) known.delete(url);
    if (!is || result.kind !== 'ready' || known.get(url)?.by === by) return is;
    const { binary, versioned } = result;
    known.set(url, { by, manner: { binary, versioned } });
    if (!versioned && model.version !== undefined)
      log('warn', `inference server ${publicUrl(url)} lists no versions: results will say ${model.version}`);
    return is;
  }

  async function watch(url: string): Promise<void> {
    let was = false;
    while (!signal.aborted) {
      const by = probe;
      const before = known.get(url);
      const result = await askedBy(by, url, before?.by === by ? before.manner : null);
      if (signal.aborted) return;
      if (by !== probe) continue; // it was asked about another version
      const is = learn(url, by, result);
      if (is && !was) log('info', `inference server ${publicUrl(url)} is ready`);
      if (!is && (was || !latest.has(url)) && result.kind !== 'ready')
        log('warn', `inference server is not ready: ${result.reason}`);
      was = is;
      latest.set(url, result);
      changed();
      await sleep(probeEveryMs, signal);
    }
  }

  function reasons(): string {
    const results = urls.map((url) => latest.get(url)).filter((result) => result !== undefined);
    return results.flatMap((result) => (result.kind === 'ready' ? [] : [result.reason])).join('; ');
  }

  /** @throws Error for an endpoint that must not be used */
  function loaded(): boolean {
    const unfit = [...latest.values()].find((result) => result.kind === 'unfit');
    if (unfit) throw new Error(`inference server is refused: ${unfit.reason}`);
    return latest.size === urls.length && balancer.ready() > 0;
  }

  return {
    async load() {
      const late = new AbortController();
      const timeout = sleep(loadTimeoutMs, AbortSignal.any([signal, late.signal])).then(() => 'late' as const);
      for (const url of urls) void watch(url);
      try {
        while (!loaded()) {
          const next = new Promise<void>((resolve) => (changed = resolve));
          if ((await Promise.race([next, timeout])) !== 'late') continue;
          if (balancer.ready() > 0 && !signal.aborted) return;
          const why = signal.aborted ? 'closed' : reasons() || 'no answer to the first probe';
          throw new Error(`no inference server is ready after ${loadTimeoutMs} ms: ${why}`);
        }
      } catch (error) {
        closing.abort();
        throw error;
      } finally {
        late.abort();
      }
    },
    async expect(card, version) {
      const next = { card, version };
      const ask = probeFor(next);
      const results = await Promise.all(urls.map((url) => askedBy(ask, url, null)));
      if (!results.some(({ kind }) => kind === 'ready')) {
        const why = results.flatMap((result) => (result.kind === 'ready' ? [] : [result.reason])).join('; ');
        throw new NotYet(`no inference server serves version ${version}: ${why}`);
      }
      [model, probe] = [next, ask];
      for (const [i, url] of urls.entries()) learn(url, ask, results[i]!);
    },
    lease: (excluding) => (signal.aborted ? null : balancer.lease(excluding)),
    ready: () => balancer.ready(),
    stats: () => balancer.stats(),
    close: () => closing.abort(),
  };
}
