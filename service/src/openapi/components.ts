import * as admin from '#contract/admin.ts';
import * as alerts from '#contract/alerts.ts';
import * as batches from '#contract/batches.ts';
import * as common from '#contract/common.ts';
import * as exports from '#contract/exports.ts';
import * as images from '#contract/images.ts';
import * as metrics from '#contract/metrics.ts';
import * as now from '#contract/now.ts';
import * as queue from '#contract/queue.ts';
import * as results from '#contract/results.ts';
import * as runs from '#contract/runs.ts';
import * as timeline from '#contract/timeline.ts';
import type { TSchema } from 'typebox';
import type { JsonSchema } from './examples.ts';
import { FRAMES } from './frames.ts';

const MODULES: Record<string, unknown>[] = [
  { ErrorBody: common.ErrorBody },
  admin,
  alerts,
  batches,
  exports,
  images,
  metrics,
  now,
  queue,
  results,
  runs,
  timeline,
  FRAMES,
];

/** Same shape, same text: keys in order, TypeBox's own marks gone. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** TypeBox writes a record as one pattern that takes every name, which swagger turns into what it means. */
function records(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('patternProperties' in value)) return value;
  const { patternProperties, ...rest } = value as JsonSchema;
  const [only, ...others] = Object.values(patternProperties ?? {});
  return others.length === 0 && only ? { ...rest, additionalProperties: only } : value;
}

const isObjectSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && (value as JsonSchema).type === 'object' && 'properties' in value;

/** Every object shape that the contract exports, and a page of each, by name. */
function known(): Map<string, { name: string; schema: JsonSchema }> {
  const shapes = new Map<string, { name: string; schema: JsonSchema }>();
  const add = (name: string, schema: JsonSchema) => {
    const plain = JSON.parse(JSON.stringify(schema), records) as JsonSchema;
    shapes.set(canonical(plain), { name, schema: plain });
  };
  for (const module of MODULES)
    for (const [name, schema] of Object.entries(module)) {
      if (!isObjectSchema(schema)) continue;
      add(name, schema);
      add(`${name}Page`, common.Page(schema as unknown as TSchema) as unknown as JsonSchema);
    }
  return shapes;
}

/**
 * Replaces what equals a shape of the contract by a `$ref`, and gives the shapes that were used.
 * Routes keep their plain schemas: validation needs no references, only the document does.
 */
export function shareSchemas<T>(document: T): { document: T; schemas: Record<string, JsonSchema> } {
  const shapes = known();
  const schemas: Record<string, JsonSchema> = {};
  const inner = (value: object): unknown =>
    Array.isArray(value)
      ? value.map(share)
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, share(part)]));
  function share(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const shape = isObjectSchema(value) ? shapes.get(canonical(value)) : undefined;
    if (!shape) return inner(value);
    if (!Object.hasOwn(schemas, shape.name)) {
      // Named before its inside is walked, so that the order is that of first use.
      schemas[shape.name] = {};
      schemas[shape.name] = inner(shape.schema) as JsonSchema;
    }
    return { $ref: `#/components/schemas/${shape.name}` };
  }
  return { document: share(document) as T, schemas };
}
