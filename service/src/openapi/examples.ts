import { idForField } from './ids.ts';

/** A JSON Schema as the routes and the document carry it. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  example?: unknown;
  description?: string;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  patternProperties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  required?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  uniqueItems?: boolean;
  writeOnly?: boolean;
}

const TIME = '2026-03-02T09:30:00.000Z';

/** What a field of this name looks like, where its type alone would tell nothing. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  name: 'Plate 7, well B3',
  fileName: 'batch.geojson',
  relativePath: 'plate-7/B03.png',
  mimeType: 'image/png',
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  token: '3f2b7c1e-8d4a-4f6b-9e21-7a5c0d9b1e42.Q3nJm0Zk2Xc7V9tB4wLr8yHs6uPd1aEfGh5Ti0Ko2Mn',
  model: 'nuclei',
  modelVersion: '1',
  threshold: 0.5,
  pixelSizeUm: 0.325,
  width: 256,
  height: 256,
  imageWidth: 256,
  imageHeight: 256,
  channels: 1,
  pages: 1,
  sizeBytes: 48_213,
  total: 1,
  limit: 50,
  offset: 0,
  priority: 5,
  points: [10, 10, 22, 10, 22, 24, 10, 24],
  bbox: [10, 10, 12, 14],
  area: 168,
  confidence: 0.94,
  stages: { decode: 1.4, infer: 18.2, polygons: 2.1 },
  provider: 'cpu',
  stage: 'infer',
  action: 'POST /api/projects',
  targetType: 'projects',
  detail: { images: 1 },
  endpoint: 'GET /api/images/:id',
  query: 'select id, name from images where project_id = $1',
  results: {},
  missing: [],
};

const fits = (value: unknown, type: string | undefined): boolean =>
  type === 'integer' ? Number.isInteger(value) : type === (Array.isArray(value) ? 'array' : typeof value);

const isObject = (schema: JsonSchema, resolve: (ref: string) => JsonSchema): boolean =>
  (schema.$ref === undefined ? schema : resolve(schema.$ref)).type === 'object';

/** An example that is valid by its schema; `name` is the field's. @param resolve looks a `$ref` up. */
export function exampleOf(schema: JsonSchema, resolve: (ref: string) => JsonSchema, name = ''): unknown {
  const next = (inner: JsonSchema, field = name) => exampleOf(inner, resolve, field);
  if (schema.$ref !== undefined) return next(resolve(schema.$ref));
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices[0] && next(choices[0]);
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  // Of what names its fields itself they are the example.
  const named = Object.hasOwn(BY_NAME, name) && schema.format === undefined && schema.properties === undefined;
  if (named && fits(BY_NAME[name], type)) return BY_NAME[name];
  switch (type ?? '') {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          // What is optional and has no fixed meaning stays out: an example shows what is always there.
          .filter(([field]) => schema.required?.includes(field) ?? false)
          .map(([field, inner]) => [field, next(inner, field)]),
      );
    case 'array':
      return schema.items ? [next(schema.items, isObject(schema.items, resolve) ? '' : name)] : [];
    case 'string':
      if (schema.format === 'uuid') return idForField(name);
      if (schema.format === 'date-time') return TIME;
      return 'text'.padEnd(schema.minLength ?? 0, '-');
    case 'integer':
    case 'number':
      return schema.default ?? Math.max(schema.minimum ?? 0, 1);
    case 'boolean':
      return true;
    default:
      return null;
  }
}
