import { signal } from '@preact/signals';

/** A minute that somebody called good: the medians of its readings. */
export interface Baseline {
  /** When it was taken, ISO 8601. */
  at: string;
  values: Readonly<Record<string, number>>;
}
export const BASELINE_SECONDS = 60;
const KEY = 'segbench.baseline';

export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** What was stored, if it is a baseline; null for whatever else stands there. */
export function parseBaseline(text: string | null): Baseline | null {
  try {
    const { at, values } = JSON.parse(text ?? 'null') as Partial<Baseline>;
    if (typeof at !== 'string' || Number.isNaN(Date.parse(at)) || typeof values !== 'object' || values === null)
      return null;
    const numbers = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    return { at, values: Object.fromEntries(numbers) };
  } catch {
    return null;
  }
}

/** Kept in this browser; where it keeps nothing, as long as the page is open. */
export function createBaseline(deps: { storage: Storage | null; now: () => number }) {
  const read = (): Baseline | null => {
    try {
      return parseBaseline(deps.storage?.getItem(KEY) ?? null);
    } catch {
      return null;
    }
  };
  const state = signal<Baseline | null>(read());
  const keep = (next: Baseline | null): void => {
    state.value = next;
    try {
      if (next) deps.storage?.setItem(KEY, JSON.stringify(next));
      else deps.storage?.removeItem(KEY);
    } catch {
      // full, or forbidden: it holds until the page goes
    }
  };
  return {
    state,
    /** @param medianOf of the last minute; names without a reading are left out */
    take(names: readonly string[], medianOf: (name: string) => number | null): void {
      const values = names.flatMap((name) => {
        const value = medianOf(name);
        return value === null ? [] : [[name, value] as const];
      });
      keep({ at: new Date(deps.now()).toISOString(), values: Object.fromEntries(values) });
    },
    drop: (): void => keep(null),
  };
}
export type BaselineModel = ReturnType<typeof createBaseline>;

/** Now against the baseline, as a share of it; null where either is missing or there is nothing to divide by. */
export function changeOf(now: number | null, base: number | undefined): number | null {
  return now === null || base === undefined || base === 0 ? null : now / base - 1;
}
