import { expiryAt, type Signer } from './sign.ts';

/** Width of thumbnails in answers: that of a gallery cell on a display with two pixels a point. */
export const THUMBNAIL_PX = 256;

export interface UrlOptions {
  signer: Pick<Signer, 'sign' | 'now'>;
  /** `CDN_BASE_URL`; empty: addresses are paths of this server. */
  baseUrl: string;
  ttlSeconds: number;
}

/**
 * Addresses of pictures and files, for answers: signed, so that whoever has one needs no key until it expires, and below the
 * CDN's address where there is one. The one place that knows them.
 */
export function createUrls({ signer, baseUrl, ttlSeconds }: UrlOptions) {
  const signed = (path: string, query: Record<string, string> = {}) =>
    baseUrl + signer.sign(path, query, expiryAt(signer.now(), ttlSeconds));
  return {
    thumbnail: (imageId: string, width: number = THUMBNAIL_PX): string =>
      signed(`/api/images/${imageId}/render`, { w: String(width), f: 'webp' }),
    /** The result is in the name: another result has another address. */
    overlay: (imageId: string, resultId: string): string =>
      signed(`/api/images/${imageId}/overlay`, { f: 'webp', v: resultId }),
    file: (imageId: string): string => signed(`/api/images/${imageId}/file`),
    download: (exportId: string): string => signed(`/api/download/${exportId}`),
  };
}
export type Urls = ReturnType<typeof createUrls>;
