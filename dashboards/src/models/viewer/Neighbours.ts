import { signal } from '@preact/signals';
import { decodeIndex } from '#contract/index-format.ts';
import type { Api } from '../api.ts';
import { uuidAt } from '../id-table.ts';
import { readNeighbourhood } from '../place.ts';

export interface Around {
  previous: string | null;
  next: string | null;
  /** From 1, and how many there are; null where only a part of the list is known. */
  place: { at: number; of: number } | null;
}
const NONE: Around = { previous: null, next: null, place: null };

export function aroundIn(ids: readonly string[], imageId: string, whole: boolean): Around | null {
  const at = ids.indexOf(imageId);
  if (at < 0) return null;
  return {
    previous: ids[at - 1] ?? null,
    next: ids[at + 1] ?? null,
    place: whole ? { at: at + 1, of: ids.length } : null,
  };
}

/**
 * The images before and after one. In the order in which the gallery showed them where one came from there, else in that of the
 * project, from its index, read once.
 */
export function createNeighbours(deps: { api: Api; storage: Storage }) {
  const around = signal<Around>(NONE);
  let whole: { projectId: string; ids: string[] } | null = null;

  async function readAll(projectId: string): Promise<string[]> {
    const { ids, count } = decodeIndex(
      await deps.api.bytes('GET /api/projects/{id}/index', { path: { id: projectId } }),
    );
    whole = { projectId, ids: Array.from({ length: count }, (_, i) => uuidAt(ids, i)) };
    return whole.ids;
  }
  return {
    around,
    async look(projectId: string, imageId: string): Promise<void> {
      const shown = aroundIn(readNeighbourhood(deps.storage, projectId), imageId, false);
      if (shown && (shown.previous !== null || shown.next !== null)) {
        around.value = shown;
        return;
      }
      // At once where it is known already: a key may be held.
      if (whole?.projectId === projectId) {
        around.value = aroundIn(whole.ids, imageId, true) ?? NONE;
        return;
      }
      try {
        around.value = aroundIn(await readAll(projectId), imageId, true) ?? NONE;
      } catch {
        // Without it the image can still be looked at.
        around.value = NONE;
      }
    },
  };
}
export type Neighbours = ReturnType<typeof createNeighbours>;
