import {
  decodePolygons,
  encodeBulkHeader,
  encodeBulkNull,
  encodeBulkResult,
  encodeBulkTrailer,
  encodePolygons,
  type BulkMeta,
} from '#contract/polygons-format.ts';
import { POLYGONS_MIME, type Lod, type Polygon, type Result } from '#contract/results.ts';
import { acceptWeights } from '../accept.ts';
import { simplifyForLod } from './lod.ts';
import type { StoredResult } from './query.ts';

export interface Shape {
  lod: Lod;
  /** Undefined for all. `imageId` is always there. */
  fields: ReadonlySet<keyof Result> | undefined;
}
export interface Subject {
  imageId: string;
  batchId: string;
  stored: StoredResult;
}
export interface Tail {
  missing: string[];
  nextCursor: string | null;
}

/** One way to write a bulk reply. Each method gives the bytes of its part; `first` says that no entry was written yet. */
export interface Form {
  mimeType: string;
  head(): Buffer;
  result(subject: Subject, shape: Shape, first: boolean): Buffer;
  /** A known image without a result. */
  none(imageId: string, first: boolean): Buffer;
  tail(tail: Tail): Buffer;
}

const wants = ({ fields }: Shape, name: keyof Result) => fields === undefined || fields.has(name);

function metaOf({ imageId, batchId, stored }: Subject, shape: Shape): BulkMeta {
  const { id: _id, polygons: _polygons, warnings, ...facts } = stored;
  const all: BulkMeta = { imageId, batchId, status: 'completed', ...facts, ...(warnings && { warnings }) };
  if (!shape.fields) return all;
  return { ...Object.fromEntries(Object.entries(all).filter(([name]) => wants(shape, name as keyof Result))), imageId };
}

const polygonsOf = ({ stored }: Subject, { lod }: Shape): Polygon[] =>
  simplifyForLod(decodePolygons(stored.polygons), lod);

/** A stored result as the contract's `Result`, or the part of it that was asked for. */
export function toResult(subject: Subject, shape: Shape): Partial<Result> {
  const meta = metaOf(subject, shape);
  return wants(shape, 'polygons') ? { ...meta, polygons: polygonsOf(subject, shape) } : meta;
}

const json: Form = {
  mimeType: 'application/json; charset=utf-8',
  head: () => Buffer.from('{"results":{'),
  result: (subject, shape, first) =>
    Buffer.from(`${first ? '' : ','}"${subject.imageId}":${JSON.stringify(toResult(subject, shape))}`),
  none: (imageId, first) => Buffer.from(`${first ? '' : ','}"${imageId}":null`),
  tail: ({ missing, nextCursor }) =>
    Buffer.from(`},"missing":${JSON.stringify(missing)},"nextCursor":${JSON.stringify(nextCursor)}}`),
};

/** An id that is neither in a line nor in `missing` is known and has no result. */
const ndjson: Form = {
  mimeType: 'application/x-ndjson; charset=utf-8',
  head: () => Buffer.alloc(0),
  result: (subject, shape) => Buffer.from(`${JSON.stringify(toResult(subject, shape))}\n`),
  none: () => Buffer.alloc(0),
  tail: ({ missing, nextCursor }) => Buffer.from(`${JSON.stringify({ missing, nextCursor })}\n`),
};

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);

/** At full detail the stored bytes are copied, never decoded. */
const binary: Form = {
  mimeType: POLYGONS_MIME,
  head: () => bufferOf(encodeBulkHeader()),
  result(subject, shape) {
    const stored = shape.lod === 'high' ? subject.stored.polygons : encodePolygons(polygonsOf(subject, shape));
    const payload = wants(shape, 'polygons') ? stored : new Uint8Array(0);
    return bufferOf(encodeBulkResult(metaOf(subject, shape), payload));
  },
  none: (imageId) => bufferOf(encodeBulkNull(imageId)),
  tail: (tail) => bufferOf(encodeBulkTrailer(tail)),
};

const FORMS = new Map([
  ['application/json', json],
  ['application/x-ndjson', ndjson],
  [POLYGONS_MIME, binary],
]);
/** What the client likes best, the first that it names where it likes several alike; JSON for everything else. */
export function formFor(accept: string | undefined): Form {
  const weights = acceptWeights(accept);
  const any = weights.get('application/*') ?? weights.get('*/*') ?? 0;
  const [best] = [...weights, ['application/json', weights.get('application/json') ?? any] as const]
    .filter(([type, weight]) => FORMS.has(type) && weight > 0)
    .sort(([, a], [, b]) => b - a);
  return (best && FORMS.get(best[0])) ?? json;
}
