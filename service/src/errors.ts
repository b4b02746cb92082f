import type { ErrorBody } from '#contract/common.ts';

interface Answer {
  statusCode: number;
  message: string;
  /** That every such answer has. */
  headers?: Record<string, string>;
}

/** Every error the service answers with: code → status and what it says when nothing better is known. */
export const ERRORS = {
  BAD_REQUEST: { statusCode: 400, message: 'the request is not valid' },
  VALIDATION: { statusCode: 400, message: 'the request does not match its schema' },
  NO_IMAGE_ACCEPTED: { statusCode: 400, message: 'no file of the upload was accepted' },
  TOO_MANY_FILES: { statusCode: 400, message: 'too many files in one request' },
  EMPTY_PROJECT: { statusCode: 400, message: 'the project has no images' },
  BAD_CURSOR: { statusCode: 400, message: 'the cursor is not one that this list gave out' },
  DOCUMENT_SYNTAX: { statusCode: 400, message: 'query is not a GraphQL document' },
  DOCUMENT_INVALID: { statusCode: 400, message: 'the document asks for what the schema does not have' },
  VARIABLES_INVALID: { statusCode: 400, message: 'the variables are not what the document declares' },
  DOCUMENT_TOO_LARGE: { statusCode: 400, message: 'the document is larger than allowed' },
  TOO_MANY_OPERATIONS: { statusCode: 400, message: 'the document has more operations than allowed' },
  TOO_MANY_ALIASES: { statusCode: 400, message: 'the document has more aliases than allowed' },
  TOO_MANY_SUBSCRIPTIONS: { statusCode: 400, message: 'the socket has as many subscriptions as are allowed' },
  TOO_DEEP: { statusCode: 400, message: 'the document is nested deeper than allowed' },
  TOO_COMPLEX: { statusCode: 400, message: 'the document costs more than allowed' },
  UNKNOWN_OPERATION: { statusCode: 400, message: 'the document has no such operation' },
  OPERATION_NOT_ALLOWED: { statusCode: 400, message: 'this kind of operation is not allowed here' },
  BATCHING_NOT_ALLOWED: { statusCode: 400, message: 'one operation a request: lists of them are not allowed' },
  UNAUTHENTICATED: {
    statusCode: 401,
    message: 'missing, unknown, expired or revoked key',
    headers: { 'www-authenticate': 'Bearer' },
  },
  FORBIDDEN: { statusCode: 403, message: 'the key lacks the scope' },
  FOREIGN_ORIGIN: { statusCode: 403, message: 'this origin may not use the session' },
  LINK_INVALID: { statusCode: 403, message: 'the signature does not belong to this address' },
  LINK_EXPIRED: { statusCode: 403, message: 'this signed address has expired' },
  NOT_FOUND: { statusCode: 404, message: 'not found' },
  METHOD_NOT_ALLOWED: { statusCode: 405, message: 'the path is known, the method is not' },
  REQUEST_TIMEOUT: { statusCode: 408, message: 'the request did not arrive in time' },
  CONFLICT: { statusCode: 409, message: 'the request conflicts with the present state' },
  NOT_READY: { statusCode: 409, message: 'not ready yet' },
  IDEMPOTENCY_IN_USE: { statusCode: 409, message: 'a request with this Idempotency-Key is still running' },
  BODY_TOO_LARGE: { statusCode: 413, message: 'the body is larger than allowed' },
  UNSUPPORTED_MEDIA_TYPE: { statusCode: 415, message: 'the content type is not supported' },
  EXPECTATION_FAILED: { statusCode: 417, message: 'the expectation is not known: expected 100-continue' },
  IDEMPOTENCY_MISMATCH: { statusCode: 422, message: 'this Idempotency-Key belongs to a request with another body' },
  RANGE_NOT_SATISFIABLE: { statusCode: 416, message: 'the range lies outside of the file' },
  IMAGE_TOO_LARGE: { statusCode: 422, message: 'the image has more pixels than this server decodes' },
  IMAGE_DAMAGED: { statusCode: 422, message: 'the image cannot be decoded' },
  UPGRADE_REQUIRED: { statusCode: 426, message: 'this address is a WebSocket: a plain request gets nothing here' },
  RATE_LIMITED: { statusCode: 429, message: 'too many requests' },
  TOO_MANY_SOCKETS: { statusCode: 429, message: 'too many sockets are open' },
  HEADERS_TOO_LARGE: { statusCode: 431, message: 'the headers are larger than allowed' },
  INTERNAL: { statusCode: 500, message: 'something failed inside; the log has the details' },
  UNAVAILABLE: { statusCode: 503, message: 'a server behind this one does not answer; try again' },
  SOCKETS_BUSY: { statusCode: 503, message: 'this server has as many sockets open as it may; try again' },
  ENDING: { statusCode: 503, message: 'this process is about to end; another one answers' },
  OVERLOADED: { statusCode: 503, message: 'too much to do; try again after Retry-After' },
  PICTURES_BUSY: { statusCode: 503, message: 'too many pictures wait to be drawn; try again' },
  PICTURE_FAILED: {
    statusCode: 503,
    message: 'the picture took too long, or its process died; try again, or ask for a smaller one',
  },
  STORAGE_FULL: { statusCode: 507, message: 'the disk is full; nothing of this request was kept' },
} as const satisfies Record<string, Answer>;
export type ErrorCode = keyof typeof ERRORS;

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly statusCode: number;
  /** Extra headers of the reply, e.g. Content-Range of a 416. */
  readonly headers: Record<string, string>;
  /** Refused files of an upload that brought nothing else. */
  readonly rejected: ErrorBody['rejected'];
  constructor(
    code: ErrorCode,
    message?: string,
    options: { headers?: Record<string, string>; cause?: unknown; rejected?: ErrorBody['rejected'] } = {},
  ) {
    const answer: Answer = ERRORS[code];
    super(message ?? answer.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.code = code;
    this.statusCode = answer.statusCode;
    this.headers = { ...answer.headers, ...options.headers };
    this.rejected = options.rejected;
  }
}

export const apiError = (code: ErrorCode, message?: string): ApiError => new ApiError(code, message);
/** `noun` is what was looked for: project, image, batch, export, key. */
export const notFound = (noun: string, id: string): ApiError => new ApiError('NOT_FOUND', `no ${noun} with id ${id}`);
/** Names the field, its value and what is allowed. */
export const badValue = (field: string, value: unknown, allowed: string): ApiError =>
  new ApiError('VALIDATION', `${field} is ${shown(value)}: expected ${allowed}`);

function asJson(value: unknown): string {
  if (value === undefined) return 'missing';
  // JSON has no Infinity, but 1e400 becomes one.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? '[...] nested too deep to show' : '{...} nested too deep to show';
  }
}
/** A value as an error message shows it: JSON, cut to 80 characters. */
export function shown(value: unknown): string {
  const text = asJson(value);
  // Never half of a surrogate pair, which many readers of JSON refuse.
  return text.length > 80 ? `${text.slice(0, 77).replace(/[\ud800-\udbff]$/, '')}...` : text;
}
