export interface Lru<T> {
  get(key: string): T | undefined;
  peek(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
  /** Sum of the weights of what is held. */
  readonly weight: number;
}

/**
 * Least recently used entries leave first once their weights exceed `capacity`.
 * `dispose` runs exactly once for each value that leaves, replaced ones included: bitmaps are closed there.
 */
export function createLru<T>(options: {
  capacity: number | (() => number);
  weigh?: (value: T) => number;
  dispose?: (value: T) => void;
}): Lru<T> {
  const { capacity, weigh = () => 1, dispose = () => {} } = options;
  const limit = typeof capacity === 'function' ? capacity : () => capacity;
  // A Map iterates in insertion order, so re-inserting on use keeps the oldest first.
  const entries = new Map<string, T>();
  let weight = 0;

  function remove(key: string): void {
    const value = entries.get(key);
    if (value === undefined) return;
    entries.delete(key);
    weight -= weigh(value);
    dispose(value);
  }
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    peek: (key) => entries.get(key),
    set(key, value) {
      remove(key);
      entries.set(key, value);
      weight += weigh(value);
      for (const oldest of entries.keys()) {
        if (weight <= limit() || oldest === key) break;
        remove(oldest);
      }
    },
    delete: remove,
    clear() {
      for (const key of entries.keys()) remove(key);
    },
    get size() {
      return entries.size;
    },
    get weight() {
      return weight;
    },
  };
}
