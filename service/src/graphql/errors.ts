import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { ApiError, ERRORS, type ErrorCode } from '../errors.ts';
import { toApiError } from '../plugins/error-handler.ts';

/** Why a document is refused before anything of it runs: one error in the service's sense, and what GraphQL says of each place. */
export class RefusedError extends ApiError {
  readonly errors: readonly GraphQLFormattedError[];
  constructor(code: ErrorCode, message: string, errors: readonly GraphQLFormattedError[] = []) {
    super(code, message);
    this.name = 'RefusedError';
    this.errors = errors.length > 0 ? errors : [{ message, extensions: extensionsOf(this) }];
  }
}

export const refused = (code: ErrorCode, message: string): RefusedError => new RefusedError(code, message);

/** graphql-js's own errors under one of our codes. `allowed` ends the messages that do not tell it. */
export function refusedBy(code: ErrorCode, errors: readonly GraphQLError[], allowed: string): RefusedError {
  const extensions = { code, statusCode: ERRORS[code].statusCode };
  const told = errors.map((error) => {
    const text = error.message.replace(/\.$/, '');
    return {
      ...error.toJSON(),
      message: /\bexpected\b/.test(text) ? text : `${text}; expected ${allowed}`,
      extensions,
    };
  });
  return new RefusedError(code, told[0]?.message ?? ERRORS[code].message, told);
}

/** What an error of the service says in GraphQL; a 5xx keeps its own message for the log only. */
export function extensionsOf(error: ApiError): Record<string, unknown> {
  const retryAfter = error.headers['retry-after'];
  return {
    code: error.code,
    statusCode: error.statusCode,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }),
  };
}
export const messageOf = (error: ApiError): string =>
  error.statusCode >= 500 ? ERRORS[error.code].message : error.message;

/** The `errors` of a reply that is refused as a whole. */
export const errorsOf = (error: ApiError): readonly GraphQLFormattedError[] =>
  error instanceof RefusedError ? error.errors : [{ message: messageOf(error), extensions: extensionsOf(error) }];

/** An error of a resolver as the client sees it. `log` gets what is hidden. */
export function formatError(error: GraphQLError, log: (error: unknown) => void): GraphQLFormattedError {
  const cause = error.cause ?? error.originalError ?? error;
  const { message: _own, ...place } = error.toJSON();
  const answer = toApiError(cause);
  if (answer.statusCode >= 500) log(answer.cause ?? cause);
  return { ...place, message: messageOf(answer), extensions: extensionsOf(answer) };
}
