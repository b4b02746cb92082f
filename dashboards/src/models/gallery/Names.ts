import { createLru } from '../lru.ts';

const KEPT = 2000;

/** Names of the images in view. The index has none: they are read for what stays visible, a page of the list at a time. */
export function createNames(deps: {
  read: (offset: number, limit: number) => Promise<{ id: string; name: string }[]>;
  onReady: (imageIds: string[]) => void;
}) {
  const names = createLru<string>({ capacity: KEPT });
  let turn = 0;
  return {
    get: (imageId: string): string | null => names.get(imageId) ?? null,
    /** `imageIds`: what stands from place `offset` on. */
    async want(offset: number, imageIds: readonly string[]): Promise<void> {
      const mine = ++turn;
      if (imageIds.every((id) => names.peek(id) !== undefined)) return;
      try {
        const found = await deps.read(offset, imageIds.length);
        for (const { id, name } of found) names.set(id, name);
        if (mine === turn) deps.onReady(found.map(({ id }) => id));
      } catch {
        // The cells keep their numbers.
      }
    },
    stop: (): void => void turn++,
  };
}
