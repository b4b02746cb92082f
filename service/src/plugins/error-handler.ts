import { STATUS_CODES } from 'node:http';
import fp from 'fastify-plugin';
import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from 'fastify';
import type { ErrorBody } from '#contract/common.ts';
import { MAX_FILES } from '../ingest/upload.ts';
import { createMethodTable } from './method-table.ts';
import { ApiError, ERRORS, shown, type ErrorCode } from '../errors.ts';

/** Ajv's own errors in `verbose` mode carry the value and the schema that it failed. */
interface VerboseError extends FastifySchemaValidationError {
  data?: unknown;
  parentSchema?: { properties?: Record<string, unknown>; title?: string; writeOnly?: boolean };
}

type Rule = (error: VerboseError, at: string) => string;
/** A secret is never repeated, however wrong it is. */
const given = ({ data, parentSchema }: VerboseError) =>
  parentSchema?.writeOnly === true
    ? `(${typeof data === 'string' ? `${data.length} characters` : typeof data})`
    : shown(data);
const RULES: Record<string, Rule> = {
  additionalProperties: ({ params, parentSchema }, at) =>
    `${at} has the unknown field ${shown(params.additionalProperty)}: allowed are ${Object.keys(parentSchema?.properties ?? {}).join(', ') || 'none'}`,
  required: ({ params }, at) => `${at}.${String(params.missingProperty)} is missing`,
  enum: (error, at) =>
    `${at} is ${given(error)}: expected one of ${(error.params.allowedValues as unknown[]).join(', ')}`,
  const: (error, at) => `${at} is ${given(error)}: expected ${shown(error.params.allowedValue)}`,
  format: (error, at) => `${at} is ${given(error)}: expected a ${String(error.params.format)}`,
  type: (error, at) => `${at} is ${given(error)}: expected ${String(error.params.type)}`,
  minLength: (error, at) =>
    `${at} is ${given(error)}: expected text of ${String(error.params.limit)} or more characters`,
  maxItems: ({ params, data }, at) =>
    `${at} is a list of ${(data as unknown[]).length}: expected at most ${String(params.limit)} items`,
  pattern: (error, at) =>
    `${at} is ${given(error)}: expected ${error.parentSchema?.title ?? `text that matches ${String(error.params.pattern)}`}`,
};

/** Says which field, with which value, and what is allowed. */
export function explainValidation(context: string, errors: readonly FastifySchemaValidationError[]): string {
  const error = errors[0] as VerboseError | undefined;
  if (!error) return ERRORS.VALIDATION.message;
  const at = `${context}${error.instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')}`;
  const rule = RULES[error.keyword];
  return rule ? rule(error, at) : `${at} is ${given(error)}: it ${error.message ?? 'is not valid'}`;
}

/** Errors of plugins whose status alone would mislead. */
const PLUGIN_CODES: Record<string, ErrorCode> = {
  FST_FILES_LIMIT: 'TOO_MANY_FILES',
  FST_FIELDS_LIMIT: 'BAD_REQUEST',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
};
/** Multipart's parser gives its errors no codes. All of them say that the client's body is not what it claims to be. */
const BAD_MULTIPART = /^(Multipart: |Unexpected end of multipart|Part terminated early|Malformed part header)/;
/** Fastify's own errors (4xx) under the names of this service. */
const FASTIFY_CODES: Record<number, ErrorCode> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMITED',
};
/** System and PostgreSQL error codes that have a better answer than 500. */
const CAUSES: Record<string, ErrorCode> = {
  ENOSPC: 'STORAGE_FULL',
  EDQUOT: 'STORAGE_FULL',
  '53100': 'STORAGE_FULL',
  ECONNREFUSED: 'UNAVAILABLE',
  ECONNRESET: 'UNAVAILABLE',
  CONNECT_TIMEOUT: 'UNAVAILABLE',
  CONNECTION_CLOSED: 'UNAVAILABLE',
  CONNECTION_ENDED: 'UNAVAILABLE',
  CONNECTION_DESTROYED: 'UNAVAILABLE',
  '57P01': 'UNAVAILABLE',
  '57P03': 'UNAVAILABLE',
};

/** What Fastify refuses of a body, with the value and what is allowed, which its own messages leave out. */
const BODY_MESSAGES: Record<string, (request: FastifyRequest) => string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ({ headers, routeOptions }) =>
    `body has ${headers['content-length'] ?? 'too many'} bytes: at most ${routeOptions.bodyLimit} are allowed`,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ({ headers, routeOptions }) =>
    `content-type is ${shown(headers['content-type'])}: expected ${routeOptions.schema?.consumes?.join(' or ') ?? 'application/json'}`,
  FST_PROTO_VIOLATION: () =>
    'multipart field has the name of a property that every object has: expected files in files',
  FST_FIELDS_LIMIT: () => 'the request has multipart fields of text: expected files in files alone',
  FST_FILES_LIMIT: () => `the request has more than ${MAX_FILES} files: at most ${MAX_FILES} are allowed`,
};
/** The validator takes a body that is not there for null. */
const bodyMissing = ({ validation, validationContext }: Partial<FastifyError>, { body }: FastifyRequest) =>
  validationContext === 'body' && body === undefined && validation?.[0]?.instancePath === ''
    ? `body is missing: expected ${String((validation[0].params.type as string | undefined) ?? 'one')}`
    : undefined;

/** Any thrown value as the error it is answered with. A 5xx keeps its own message for the log only. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { validation, validationContext, statusCode, code, message } = error as Partial<FastifyError>;
  if (validation) return new ApiError('VALIDATION', explainValidation(validationContext ?? 'request', validation));
  const known = PLUGIN_CODES[code ?? ''] ?? FASTIFY_CODES[statusCode ?? 0];
  if (known) return new ApiError(known, message);
  if (code === undefined && BAD_MULTIPART.test(message ?? ''))
    return new ApiError(
      'BAD_REQUEST',
      `the multipart body is not valid: ${message}: expected files as RFC 7578 has them`,
    );
  const cause = CAUSES[code ?? ''] ?? 'INTERNAL';
  return new ApiError(cause, undefined, { cause: error });
}

/** As it should be: too many ask, and a line for each would be one more load; or a balancer looks at a process that ends. */
const QUIET: ReadonlySet<ErrorCode> = new Set(['PICTURES_BUSY', 'SOCKETS_BUSY', 'OVERLOADED', 'ENDING']);

/**
 * Nobody is left to answer, and nothing failed here: the request broke off, or its sender left before the first byte of a streamed answer,
 * whose stream then ends too early.
 */
const hasLeft = (error: Partial<FastifyError>, { raw }: FastifyRequest): boolean =>
  Boolean(raw.errored) || (error.code === 'ERR_STREAM_PREMATURE_CLOSE' && raw.socket.destroyed);

export const errorBody = (error: ApiError): ErrorBody => ({
  statusCode: error.statusCode,
  code: error.code,
  error: STATUS_CODES[error.statusCode] ?? 'Error',
  message: error.statusCode >= 500 ? ERRORS[error.code].message : error.message,
  ...(error.rejected && { rejected: error.rejected }),
});

export default fp(
  async (app: FastifyInstance) => {
    const methods = createMethodTable();
    app.addHook('onRoute', ({ method, url }) => methods.add(url, method));
    const refuseUnrouted = (request: FastifyRequest, reply: FastifyReply) => {
      const path = request.url.split('?')[0]!;
      const allowed = methods.of(path);
      const asked = `${request.method} ${shown(path)}`;
      const answer =
        allowed.length > 0
          ? new ApiError('METHOD_NOT_ALLOWED', `no route ${asked}: expected ${allowed.join(', ')}`, {
              headers: { allow: allowed.join(', ') },
            })
          : new ApiError('NOT_FOUND', `no route ${asked}`);
      return reply.code(answer.statusCode).headers(answer.headers).send(errorBody(answer));
    };
    app.setNotFoundHandler(refuseUnrouted);
    app.setErrorHandler((error, request, reply) => {
      const known = error as Partial<FastifyError>;
      const told = BODY_MESSAGES[known.code ?? '']?.(request) ?? bodyMissing(known, request);
      const answer = told === undefined ? toApiError(error) : new ApiError(toApiError(error).code, told);
      // Without a route it does not matter what Fastify finds wrong with the body.
      if (request.is404 && !(error instanceof ApiError) && answer.statusCode < 500)
        return refuseUnrouted(request, reply);
      if (hasLeft(known, request))
        request.log.info({ method: request.method, url: request.url }, 'the client has left');
      else if (answer.statusCode >= 500 && !QUIET.has(answer.code))
        request.log.error({ err: error, method: request.method, url: request.url }, 'request failed');
      return reply
        .code(answer.statusCode)
        .headers(answer.headers)
        .type('application/json; charset=utf-8')
        .send(errorBody(answer));
    });
  },
  { name: 'error-handler' },
);
