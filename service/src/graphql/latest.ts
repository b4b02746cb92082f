/** An iterator whose `return` never waits, unlike an async generator's, which first waits for what it is waiting for. */
export interface Latest<T> extends AsyncIterableIterator<T> {
  /** Replaces what was not taken yet: a slow reader gets fewer values and never old ones. */
  push(value: T): void;
  /** After what is left. */
  end(): void;
  fail(error: unknown): void;
}

/** Holds one value at most. @param onReturn called once when nobody reads any more */
export function createLatest<T>(onReturn: () => void): Latest<T> {
  let held: { value: T } | undefined;
  let ended: { error?: unknown } | undefined;
  let closed = false;
  let waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined;
  const nothing = { value: undefined, done: true } as const;

  function close(): void {
    if (closed) return;
    closed = true;
    onReturn();
  }
  function finish(): Promise<IteratorResult<T>> {
    const error = ended?.error;
    ended = {};
    close();
    return error === undefined ? Promise.resolve(nothing) : Promise.reject(error);
  }
  /** Hands over to who waits already. */
  function settle(): void {
    if (!waiting || (!held && !ended)) return;
    const { resolve, reject } = waiting;
    waiting = undefined;
    latest.next().then(resolve, reject);
  }
  const latest: Latest<T> = {
    push(value) {
      if (ended) return;
      held = { value };
      settle();
    },
    end() {
      ended ??= {};
      settle();
    },
    fail(error) {
      ended ??= { error };
      settle();
    },
    next() {
      if (held) {
        const { value } = held;
        held = undefined;
        return Promise.resolve({ value, done: false });
      }
      if (ended) return finish();
      return new Promise((resolve, reject) => (waiting = { resolve, reject }));
    },
    return() {
      held = undefined;
      ended ??= {};
      close();
      settle();
      return Promise.resolve(nothing);
    },
    throw(error) {
      held = undefined;
      ended = {};
      close();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]: () => latest,
    [Symbol.asyncDispose]: async () => void (await latest.return?.()),
  } as Latest<T>;
  return latest;
}
