import { computed, signal } from '@preact/signals';
import type { ImageStore } from '../ImageStore.ts';

/** As many images as one batch request may name. */
export const BATCH_IDS = 10_000;

/**
 * Which images are chosen, and which one the keyboard is at. Places are those of the list as it is shown; what is chosen belongs to the
 * image, and stays with it when the list is sorted, filtered or read anew.
 */
export function createSelection(deps: {
  store: ImageStore;
  /** Store index of the image at a place of the list. */
  indexAt: (place: number) => number;
  /** Length of the list as it is shown. */
  length: () => number;
  /** Store indexes of which the choice has changed. */
  onChange: (indexes: readonly number[]) => void;
}) {
  const { store, indexAt } = deps;
  /** Place of the keyboard, or -1. */
  const active = signal(-1);
  const count = signal(0);
  let anchor = -1;

  function pick(places: Iterable<number>, on: boolean): void {
    const changed: number[] = [];
    for (const place of places) {
      const i = indexAt(place);
      if (store.isPicked(i) === on) continue;
      store.pick(i, on);
      changed.push(i);
    }
    count.value = store.pickedCount;
    if (changed.length > 0) deps.onChange(changed);
  }
  function* between(a: number, b: number): Iterable<number> {
    for (let place = Math.min(a, b); place <= Math.max(a, b); place++) yield place;
  }
  const within = (place: number): number => Math.min(Math.max(place, 0), deps.length() - 1);

  return {
    active,
    count,
    any: computed(() => count.value > 0),
    /** Goes to a place without choosing it. A range that is begun afterwards begins there. */
    moveTo(place: number): void {
      active.value = anchor = within(place);
    },
    toggle(place: number): void {
      active.value = anchor = within(place);
      if (anchor < 0) return;
      pick([anchor], !store.isPicked(indexAt(anchor)));
    },
    /** From where the last choice or move was made up to here, both included. */
    extendTo(place: number): void {
      const to = within(place);
      if (to < 0) return;
      pick(between(anchor < 0 ? to : Math.min(anchor, deps.length() - 1), to), true);
      if (anchor < 0) anchor = to;
      active.value = to;
    },
    all(): void {
      if (deps.length() > 0) pick(between(0, deps.length() - 1), true);
    },
    clear(): void {
      const changed = [...store.selectPicked()];
      for (const i of changed) store.pick(i, false);
      count.value = 0;
      if (changed.length > 0) deps.onChange(changed);
    },
    ids: (): string[] => Array.from(store.selectPicked(), (i) => store.idAt(i)),
    restore(ids: readonly string[]): void {
      for (const id of ids) store.pick(store.find(id), true);
      count.value = store.pickedCount;
    },
    /** After the list was read anew: images may be gone, places have moved. */
    refresh(): void {
      count.value = store.pickedCount;
      if (active.peek() >= deps.length()) active.value = deps.length() - 1;
    },
  };
}
export type Selection = ReturnType<typeof createSelection>;
