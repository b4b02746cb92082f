import { acceptWeights } from '../accept.ts';

export const PICTURE_FORMATS = ['webp', 'avif', 'jpeg', 'png'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** No picture has a longer side, whatever is asked for. */
export const MAX_SIDE = 4096;

export const MASK_FORMATS = ['png', 'webp', 'avif'] as const;
export type MaskFormat = (typeof MASK_FORMATS)[number];

/**
 * `auto`: what the client likes best of what it names (RFC 9110 section 12.5.1), WebP where it names nothing of ours but takes all.
 * Of formats that it likes alike WebP comes first: AVIF encodes ten times slower.
 */
export function formatFor<T extends PictureFormat>(accept: string | undefined, able: readonly T[], otherwise: T): T {
  const weights = acceptWeights(accept);
  const any = weights.get('image/*') ?? weights.get('*/*') ?? 0;
  const weightOf = (format: T) => weights.get(`image/${format}`) ?? any;
  const isNamed = (format: T) => (weights.has(`image/${format}`) ? 1 : 0);
  const [best] = able
    .filter((format) => weightOf(format) > 0)
    .sort((a, b) => weightOf(b) - weightOf(a) || isNamed(b) - isNamed(a));
  return best ?? otherwise;
}

/** Name under which a picture of a whole image is kept. */
export const nameOfWhole = (asked: {
  width?: number | undefined;
  height?: number | undefined;
  quality?: number | undefined;
  format: PictureFormat;
}): string => `${asked.width ?? ''}x${asked.height ?? ''}q${asked.quality ?? ''}.${asked.format}`;
