import type { ListPlace } from './ListView.ts';

/** Where a gallery was left for an image, so that coming back finds it there. Of this tab, for this visit. */
export interface GalleryPlace extends ListPlace {
  scrollTop: number;
  active: number;
  picked: string[];
}
/** Images around the one that was opened, in the order in which they were shown. */
export interface Neighbourhood {
  projectId: string;
  ids: string[];
}

/** On each side of the image that is opened. */
const AROUND = 1000;
/** More chosen images than this are not worth a stalled page. */
const PICKED_KEPT = 5000;

const placeKey = (projectId: string): string => `gallery ${projectId}`;
/** Exports that were asked for in this tab. */
export const exportsKey = (projectId: string): string => `exports ${projectId}`;
const AROUND_KEY = 'gallery neighbours';

/** What stands there; null where nothing does, or nothing that can be read. */
export function readStored<T>(storage: Storage, key: string): T | null {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
}
export function writeStored(storage: Storage, key: string, value: unknown): void {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // Full, or forbidden: the gallery begins anew then.
  }
}

export function leaveGallery(
  storage: Storage,
  given: {
    projectId: string;
    place: GalleryPlace;
    /** Place in the list of the image that is opened. */
    opened: number;
    length: number;
    idAt: (place: number) => string;
  },
): void {
  const { place, opened, length } = given;
  const picked = place.picked.length > PICKED_KEPT ? [] : place.picked;
  writeStored(storage, placeKey(given.projectId), { ...place, picked });
  const first = Math.max(0, opened - AROUND);
  const ids = Array.from({ length: Math.min(length, opened + AROUND + 1) - first }, (_, k) => given.idAt(first + k));
  writeStored(storage, AROUND_KEY, { projectId: given.projectId, ids } satisfies Neighbourhood);
}

/** Read once: a later visit begins anew. */
export function returnToGallery(storage: Storage, projectId: string): Partial<GalleryPlace> | null {
  const place = readStored<Partial<GalleryPlace>>(storage, placeKey(projectId));
  storage.removeItem(placeKey(projectId));
  return place;
}

export const readNeighbourhood = (storage: Storage, projectId: string): string[] => {
  const found = readStored<Neighbourhood>(storage, AROUND_KEY);
  return found?.projectId === projectId ? found.ids : [];
};
