import { Type, type Static, type TSchema } from 'typebox';

export * from './names.ts';

export const Id = Type.String({ format: 'uuid' });
export const Timestamp = Type.String({ format: 'date-time' });

/** What PostgreSQL takes as text: everything but the character zero, and half of a surrogate pair, which is no character. */
export const Text = (options: { minLength?: number; maxLength: number }) =>
  Type.String({
    ...options,
    title: 'Unicode text without the character zero',
    pattern: '^[^\\u0000\\ud800-\\udfff]*$',
  });

/** `T` or null; unions instead of `nullable`, which JSON Schema does not know. */
export const Nullable = <T extends TSchema>(schema: T, options: { description?: string } = {}) =>
  Type.Union([schema, Type.Null()], options);

/** Objects are closed: an unknown field in a request is an error, never dropped. */
export const closed = { additionalProperties: false } as const;

export const Literals = <const T extends readonly string[]>(values: T, options: { description?: string } = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });

/** One error of a reply of `/graphql`. */
export const GraphqlError = Type.Object({
  message: Type.String(),
  locations: Type.Optional(Type.Array(Type.Object({ line: Type.Integer(), column: Type.Integer() }))),
  path: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Integer()]))),
  extensions: Type.Object({
    code: Type.String(),
    statusCode: Type.Integer({ description: 'What the same failure is over HTTP' }),
    retryAfterSeconds: Type.Optional(Type.Integer()),
  }),
});
export type GraphqlError = Static<typeof GraphqlError>;

export const ErrorBody = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String(),
  error: Type.String(),
  message: Type.String(),
  rejected: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), code: Type.String(), message: Type.String() }), {
      description: 'NO_IMAGE_ACCEPTED only: every file of the upload with its own code',
    }),
  ),
  errors: Type.Optional(Type.Array(GraphqlError, { description: '/graphql only: the same in the form of GraphQL' })),
});
export type ErrorBody = Static<typeof ErrorBody>;

export const SCOPES = ['read', 'write', 'admin', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
  /** One of the longest name with every character escaped, in base64. */
  cursor: Type.Optional(Type.String({ maxLength: 1024 })),
};
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    total: Type.Integer(),
    limit: Type.Integer(),
    offset: Type.Integer(),
    nextCursor: Nullable(Type.String()),
  });
