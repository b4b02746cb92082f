export const THUMBNAIL_WIDTH = 256;

/** Where a small picture of an image is, as a path of this server; it needs the same key as the image. */
export const thumbnailUrl = (imageId: string, width: number = THUMBNAIL_WIDTH): string =>
  `/api/images/${imageId}/render?w=${width}&f=auto`;
