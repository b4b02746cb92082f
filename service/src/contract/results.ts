import { Type, type Static } from 'typebox';
import { Id, Literals, Nullable, closed } from './common.ts';

export const Polygon = Type.Object({
  id: Type.Integer(),
  type: Literals(['external', 'internal'] as const),
  parentId: Nullable(Type.Integer()),
  /** Flat [x0, y0, x1, y1, …] in pixels, COCO order, not closed (the last point joins the first). */
  points: Type.Array(Type.Number()),
  /** Square pixels of the traced region, before simplification. */
  area: Type.Number(),
  /** [x, y, width, height] in pixels. */
  bbox: Type.Array(Type.Number(), { minItems: 4, maxItems: 4 }),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
});
export type Polygon = Static<typeof Polygon>;

export const Result = Type.Object({
  imageId: Id,
  batchId: Id,
  status: Type.Literal('completed'),
  model: Type.String(),
  modelVersion: Type.String(),
  threshold: Type.Number(),
  imageWidth: Type.Integer(),
  imageHeight: Type.Integer(),
  polygonCount: Type.Integer(),
  processingTimeMs: Type.Number(),
  /** Milliseconds by stage of the inference that made this result. */
  stages: Type.Record(Type.String(), Type.Number()),
  /** Codes of what a user should know; absent where there is nothing. `UNLIKE_TRAINING_DATA`: see docs/own-model.md; `SIMULATED`: no model ran. */
  warnings: Type.Optional(Type.Array(Type.String())),
  polygons: Type.Array(Polygon),
});
export type Result = Static<typeof Result>;

export const RESULT_FIELDS = Object.keys(Result.properties) as (keyof Result)[];
export const LODS = ['low', 'medium', 'high'] as const;
export type Lod = (typeof LODS)[number];

export const ResultsBody = Type.Object(
  {
    imageIds: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1000 })),
    batchId: Type.Optional(Id),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
    lod: Type.Optional(Literals(LODS)),
    fields: Type.Optional(Type.Array(Literals(RESULT_FIELDS), { minItems: 1, uniqueItems: true })),
    /** One result is sent however small this is, so that every page gets on. */
    maxBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 268_435_456 })),
  },
  closed,
);
export type ResultsBody = Static<typeof ResultsBody>;

/** `null`: known, no result. `missing`: unknown or foreign. */
export const ResultsReply = Type.Object({
  results: Type.Record(Type.String(), Nullable(Type.Partial(Result))),
  missing: Type.Array(Id),
  nextCursor: Nullable(Type.String()),
});
export type ResultsReply = Static<typeof ResultsReply>;

export { POLYGONS_MIME } from './names.ts';
