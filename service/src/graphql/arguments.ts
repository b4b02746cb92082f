import type { FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { BatchBody } from '../contract/batches.ts';
import { Id, PageQuery, Text, closed } from '../contract/common.ts';
import { ProjectBody } from '../contract/images.ts';
import { apiError } from '../errors.ts';
import { explainValidation } from '../plugins/error-handler.ts';

/** Checks one argument of a field. @throws ApiError VALIDATION */
export type CheckArgument = (field: string, argument: string, value: unknown) => void;

/** Above this many images one request would hold the audit and the counters for too long. */
const DELETE_MAX = 100;
const Pagination = Type.Object(PageQuery, closed);
const ids = (maxItems: number) => Type.Array(Id, { minItems: 1, maxItems });

/** By `field.argument`, or by the argument's name alone: the very schemas that the routes check their bodies and queries with. */
const SCHEMAS: Readonly<Record<string, TSchema>> = {
  id: Id,
  projectId: Id,
  imageId: Id,
  batchId: Id,
  taskId: Id,
  ids: ids(DELETE_MAX),
  imageIds: ids(1000),
  pagination: Pagination,
  filter: Type.Object({ status: Type.Optional(Type.Array(Type.String())), q: Type.Optional(Text({ maxLength: 200 })) }),
  w: Type.Integer({ minimum: 1, maximum: 4096 }),
  'renameProject.name': ProjectBody.properties.name,
  'createProject.input': ProjectBody,
  'updateProject.input': Type.Object(Type.Partial(ProjectBody).properties, { ...closed, minProperties: 1 }),
  'startBatch.input': BatchBody,
};
/** Where null says something, and is not what a client sends for nothing. */
const NULLABLE = new Set(['pixelSizeUm']);

/** Arguments without what is null, as an HTTP client would leave it out. */
export function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => inner !== undefined && (inner !== null || NULLABLE.has(name)))
      .map(([name, inner]) => [name, present(inner)]),
  );
}

/** By the validator that the routes of this server use. */
export const checkerFor =
  (request: FastifyRequest): CheckArgument =>
  (field, argument, value) => {
    const schema = SCHEMAS[`${field}.${argument}`] ?? SCHEMAS[argument];
    if (!schema || value === undefined || value === null) return;
    const validate = request.compileValidationSchema(schema as Record<string, unknown>);
    if (validate(present(value)) === true) return;
    throw apiError('VALIDATION', explainValidation(argument, validate.errors ?? []));
  };
