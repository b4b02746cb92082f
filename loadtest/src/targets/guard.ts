import { checkAbout, checkEvent, checkProcesses, checkResults, checkUploads } from './replies.ts';
import { TargetError, wordsOf } from './target-error.ts';
import type { Target, TargetAbout, TargetCall, TargetEvent } from './target.ts';

/** Longest wait for one call of an adapter, ms. */
export const CALL_LIMITS_MS: Readonly<Record<TargetCall, number>> = {
  open: 60_000,
  upload: 120_000,
  start: 120_000,
  results: 60_000,
  events: 30_000,
  close: 10_000,
  processes: 10_000,
};

export interface GuardOptions {
  /** How messages name it: its file, or `segbench`. */
  name: string;
  signal: AbortSignal;
  /** An event that is none: it has no call to fail. */
  onBroken: (error: TargetError) => void;
  /** More events than this are not taken. */
  mostEvents: number;
  limitsMs?: Partial<Record<TargetCall, number>>;
}

/**
 * A target whose calls end in time and give what the interface says. Whatever goes wrong is a TargetError that says in which call
 * and at which address.
 */
export function guardTarget(
  target: Target,
  { name, signal, onBroken, mostEvents, limitsMs = {} }: GuardOptions,
): Required<Target> {
  const limits = { ...CALL_LIMITS_MS, ...limitsMs };
  let about: TargetAbout | undefined;
  const who = () => `target ${name}${about ? ` (${about.address})` : ''}`;

  async function call<T>(what: TargetCall, work: () => Promise<T>, check: (reply: T) => string | null): Promise<T> {
    if (what !== 'close') signal.throwIfAborted();
    const began = performance.now();
    const { promise, reject } = Promise.withResolvers<never>();
    const limitMs = limits[what];
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    const stop = () => reject(signal.reason as Error);
    if (what !== 'close') signal.addEventListener('abort', stop, { once: true });
    let reply: T;
    try {
      // An adapter without types may throw at once, or give no promise.
      reply = await Promise.race([Promise.resolve().then(work), promise]);
    } catch (error) {
      if (signal.aborted && what !== 'close') throw signal.reason;
      const after = `after ${Math.round(performance.now() - began)} ms`;
      throw new TargetError(`${who()}: ${what}() failed ${after}: ${wordsOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
    const wrong = check(reply);
    if (wrong !== null) throw new TargetError(`${who()}: ${what}() ${wrong}`);
    return reply;
  }
  const anything = () => null;

  return {
    async open(config) {
      about = await call('open', () => target.open(config), checkAbout);
      return about;
    },
    upload: (files) =>
      call(
        'upload',
        () => target.upload(files),
        (reply) => checkUploads(reply, files),
      ),
    start: (ids, options) => call('start', () => target.start(ids, options), anything),
    results: (ids) =>
      call(
        'results',
        () => target.results(ids),
        (reply) => checkResults(reply, ids),
      ),
    events: (handler) => {
      let taken = 0;
      const checked = (event: TargetEvent): void => {
        const isFlood = ++taken > mostEvents;
        const wrong = isFlood ? `handed over more than ${mostEvents} events` : checkEvent(event);
        if (wrong === null) handler(event);
        else if (taken <= mostEvents + 1) onBroken(new TargetError(`${who()}: events() ${wrong}`));
      };
      return call('events', () => target.events(checked), anything);
    },
    close: () => call('close', () => target.close(), anything),
    cut: () => target.cut?.(),
    processes: () => call('processes', () => target.processes?.() ?? Promise.resolve([]), checkProcesses),
  };
}
