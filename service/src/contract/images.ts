import { Type, type Static } from 'typebox';
import { FAILURE_CODE_NAMES, Id, IMAGE_STATUSES, Literals, Nullable, Text, Timestamp, closed } from './common.ts';

export const Project = Type.Object({
  id: Id,
  name: Type.String(),
  pixelSizeUm: Nullable(Type.Number()),
  imageCount: Type.Integer(),
  createdAt: Timestamp,
});
export type Project = Static<typeof Project>;

export const ProjectBody = Type.Object(
  {
    name: Text({ minLength: 1, maxLength: 200 }),
    /** Side of one pixel in micrometres. */
    pixelSizeUm: Type.Optional(Nullable(Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }))),
  },
  closed,
);
export type ProjectBody = Static<typeof ProjectBody>;

export const ImageError = Type.Object({
  code: Literals(FAILURE_CODE_NAMES),
  message: Type.String(),
  retryable: Type.Boolean(),
});
export type ImageError = Static<typeof ImageError>;

export const Image = Type.Object({
  id: Id,
  projectId: Id,
  name: Type.String(),
  relativePath: Nullable(Type.String()),
  width: Type.Integer(),
  height: Type.Integer(),
  channels: Type.Integer(),
  pages: Type.Integer(),
  sizeBytes: Type.Integer(),
  sha256: Type.String(),
  mimeType: Type.String(),
  status: Literals(IMAGE_STATUSES),
  createdAt: Timestamp,
  polygonCount: Nullable(Type.Integer()),
  batchId: Nullable(Id),
  error: Nullable(ImageError),
  thumbnailUrl: Type.Optional(
    Type.String({
      description: 'Signed address of a small picture; needs no key until it expires. In lists and single images',
    }),
  ),
  overlayUrl: Type.Optional(
    Nullable(
      Type.String({ description: 'Signed address of the mask of the result; null without one. In single images' }),
    ),
  ),
  fileUrl: Type.Optional(Type.String({ description: 'Signed address of the original bytes. In single images' })),
});
export type Image = Static<typeof Image>;

/** Why a file of an upload was refused; its neighbours are accepted. */
export const REJECTION_CODES = [
  'UNSUPPORTED_TYPE',
  'INVALID_IMAGE',
  'FILE_TOO_LARGE',
  'IMAGE_TOO_LARGE',
  'EMPTY_FILE',
  'INVALID_NAME',
] as const;
export const Rejection = Type.Object({
  name: Type.String(),
  code: Literals(REJECTION_CODES),
  message: Type.String(),
});
export type Rejection = Static<typeof Rejection>;

export const UploadReply = Type.Object({ images: Type.Array(Image), rejected: Type.Array(Rejection) });
export type UploadReply = Static<typeof UploadReply>;
