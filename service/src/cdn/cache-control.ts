/** What an answer is, for whoever may keep it. docs/cdn.md has the same table for people. */
export interface Cacheable {
  /** Seconds until the signed address expires; null where a key was shown. */
  secondsLeft: number | null;
  /** A CDN stands in front (`CDN_BASE_URL`). */
  cdn: boolean;
}

const YEAR_SECONDS = 31_536_000;
export const NO_STORE = 'no-store';
/** May be kept, and is asked for anew each time; the tag tells whether it changed. */
export const REVALIDATE = 'private, no-cache';
export const ASSET = `public, max-age=${YEAR_SECONDS}, immutable`;

/** Bytes that never change under their address. No copy outlives a signed address: a cache checks no signatures. */
export const fixedFile = ({ secondsLeft }: Pick<Cacheable, 'secondsLeft'>): string =>
  `private, max-age=${secondsLeft ?? YEAR_SECONDS}, immutable`;

/** A derived picture that never changes: everybody's where the address is signed and a CDN is there to share it. */
export const fixedPicture = ({ secondsLeft, cdn }: Cacheable): string =>
  secondsLeft !== null && cdn ? `public, max-age=${secondsLeft}, immutable` : fixedFile({ secondsLeft });
