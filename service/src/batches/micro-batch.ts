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
 * Collects single items into runs of at most `maxItems`, started when full or `maxWaitMs` after the first. One run at a
 * time: while the database is busy the next batch grows instead of queueing beside it.
 * @param run answers in the order of its items, one result each
 */
export function createMicroBatcher<T, R>(options: {
  maxItems: number;
  maxWaitMs: number;
  run(items: T[]): Promise<R[]>;
}): MicroBatcher<T, R> {
  let waiting: Entry<T, R>[] = [];
  let timer: NodeJS.Timeout | undefined;
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
    if (running !== undefined || waiting.length === 0) return;
    running = drain().finally(() => {
      running = undefined;
      arm();
    });
  }
  function arm(): void {
    if (waiting.length >= options.maxItems) start();
    else if (waiting.length > 0 && timer === undefined) timer = setTimeout(start, options.maxWaitMs);
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
