export interface MicroBatcher<T, R> {
  /** Resolves once the batch that carries `item` is done; rejects when its run failed. */
  add(item: T): Promise<R>;
  /** Runs what waits now and resolves when nothing is left. */
  flush(): Promise<void>;
}
interface Entry<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Collects single items into runs of at most `maxItems`, started when full or when the first has waited for `maxWaitMs`, or less
 * where it is a function: each item asks anew how long is worth it now. One run at a time: while the database is busy the next
 * batch grows instead of queueing beside it.
 * @param run answers in the order of its items, one result each
 */
export function createMicroBatcher<T, R>(options: {
  maxItems: number;
  maxWaitMs: number | (() => number);
  run(items: T[]): Promise<R[]>;
}): MicroBatcher<T, R> {
  let waiting: Entry<T, R>[] = [];
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    const entries = waiting.slice(0, options.maxItems);
    waiting = waiting.slice(options.maxItems);
    try {
      const results = await options.run(entries.map((entry) => entry.item));
      entries.forEach((entry, index) => entry.resolve(results[index]!));
    } catch (error) {
      for (const entry of entries) entry.reject(error);
    }
  }
  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    dueAt = Infinity;
    if (running !== undefined || waiting.length === 0) return;
    running = drain().finally(() => {
      running = undefined;
      arm();
    });
  }
  function startWithin(ms: number): void {
    const at = performance.now() + ms;
    if (at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(start, ms);
  }
  function arm(): void {
    if (waiting.length >= options.maxItems) start();
    else if (waiting.length > 0)
      startWithin(typeof options.maxWaitMs === 'number' ? options.maxWaitMs : options.maxWaitMs());
  }
  return {
    add: (item) =>
      new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (running === undefined) arm();
      }),
    async flush() {
      while (running !== undefined || waiting.length > 0) {
        start();
        await running;
      }
    },
  };
}
