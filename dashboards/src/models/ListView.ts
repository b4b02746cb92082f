import { batch, signal } from '@preact/signals';
import type { ProjectIndex } from '#contract/index-format.ts';
import type { ImageStatus } from '#contract/names.ts';
import type { Clock } from './clock.ts';
import type { ImageStore } from './ImageStore.ts';

/** A filtered list that jumps ten times a second cannot be read. */
const FILTER_REFRESH_MS = 500;
/** While a name is typed. */
const TYPING_MS = 250;
/** Counts change while a batch runs; an order by them follows in steps. */
const REORDER_MS = 2000;

export const SORTS = ['createdAt', '-createdAt', 'name', '-name', 'polygonCount', '-polygonCount'] as const;
export type Sort = (typeof SORTS)[number];
/** What part of the list is shown: one status, what looks unlike the training images, what is chosen, what is being tried. */
export type Filter = ImageStatus | 'unlike' | 'picked' | 'trial';
export interface ListPlace {
  filter: Filter | null;
  sort: Sort;
  query: string;
}

/**
 * Which images are shown, and in which order. Status is known here; names and counts are not, so the order by them, and a search, are
 * asked of the service: ids of all that match, 20 bytes each.
 */
export function createListView(deps: {
  store: ImageStore;
  clock: Clock;
  readOrder: (query: { sort: Sort; q: string }) => Promise<ProjectIndex>;
  trialIds: () => readonly string[];
  /** How many images there are, known or not. */
  total: () => number;
  /** The list is another one now, of this length; of its images so many are known. */
  onChange: (length: number, known: number) => void;
}) {
  const { store, clock } = deps;
  const filter = signal<Filter | null>(null);
  const sort = signal<Sort>('createdAt');
  const query = signal('');
  /** Store indexes in the order shown, or null for all in their own order. */
  const view = signal<Int32Array | null>(null);
  const ordering = signal<'idle' | 'reading' | 'failed'>('idle');
  let order: { ids: Uint8Array; count: number } | null = null;
  let asked = 0;
  let cancelFilter: (() => void) | null = null;
  let cancelRead: (() => void) | null = null;

  /** As it is typed, a space may be on its way to a next word. */
  const needle = (): string => query.peek().trim();
  const plain = (): boolean => sort.peek() === 'createdAt' && needle() === '';
  const byCount = (): boolean => sort.peek().endsWith('polygonCount');

  function select(among: Int32Array | null): Int32Array | null {
    const kind = filter.peek();
    if (kind === null) return among;
    if (kind === 'unlike') return store.selectUnlike(among);
    if (kind === 'picked') return store.selectPicked(among);
    if (kind === 'trial') return Int32Array.from(deps.trialIds().map(store.find)).filter((i) => i >= 0);
    return store.select(kind, among);
  }
  function apply(): void {
    cancelFilter?.();
    cancelFilter = null;
    batch(() => {
      view.value = select(order && store.positionsIn(order.ids, order.count));
      deps.onChange(view.value?.length ?? deps.total(), view.value?.length ?? store.count);
    });
  }
  async function readOrder(): Promise<void> {
    cancelRead?.();
    cancelRead = null;
    const turn = ++asked;
    if (plain()) {
      order = null;
      ordering.value = 'idle';
      return apply();
    }
    ordering.value = 'reading';
    try {
      const index = await deps.readOrder({ sort: sort.peek(), q: needle() });
      // Another order was asked for meanwhile.
      if (turn !== asked) return;
      order = { ids: index.ids.slice(), count: index.count };
      ordering.value = 'idle';
      apply();
    } catch {
      if (turn === asked) ordering.value = 'failed';
    }
  }
  const readSoon = (ms: number): void => {
    cancelRead ??= clock.after(ms, () => void readOrder());
  };
  return {
    filter,
    sort,
    query,
    view,
    ordering,
    setFilter(next: Filter | null): void {
      filter.value = next;
      apply();
    },
    setSort(next: Sort): Promise<void> {
      sort.value = next;
      return readOrder();
    },
    setQuery(next: string): void {
      query.value = next;
      cancelRead?.();
      cancelRead = clock.after(TYPING_MS, () => void readOrder());
    },
    retry: readOrder,
    /** Images have changed: `wholeList` when some are new or gone, else only what is known of them. */
    changed(wholeList: boolean): void {
      if (wholeList) {
        apply();
        if (!plain()) readSoon(TYPING_MS);
        return;
      }
      if (filter.peek() !== null && filter.peek() !== 'trial') cancelFilter ??= clock.after(FILTER_REFRESH_MS, apply);
      if (byCount()) readSoon(REORDER_MS);
    },
    get place(): ListPlace {
      return { filter: filter.peek(), sort: sort.peek(), query: needle() };
    },
    /** What was shown when the page was left; the images come later. */
    restore(place: Partial<ListPlace>): void {
      if (SORTS.some((each) => each === place.sort)) sort.value = place.sort!;
      if (typeof place.query === 'string') query.value = place.query;
      if (place.filter && place.filter !== 'trial') filter.value = place.filter;
    },
    stop(): void {
      cancelFilter?.();
      cancelRead?.();
    },
  };
}
export type ListView = ReturnType<typeof createListView>;
