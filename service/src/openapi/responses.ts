import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { isApi, takesBody, type RouteFacts } from './facts.ts';

/** Errors that follow from what a route is. Those of single routes stand in `operations.ts`. */
const RULES: readonly [ErrorCode, (route: RouteFacts) => boolean][] = [
  ['VALIDATION', ({ validates }) => validates],
  // An address that is badly escaped is one as well.
  ['BAD_REQUEST', (route) => takesBody(route) || route.url.includes('/:')],
  ['UNAUTHENTICATED', ({ needsKey }) => needsKey],
  ['FORBIDDEN', ({ scope }) => scope !== null],
  ['FOREIGN_ORIGIN', (route) => isApi(route) && takesBody(route)],
  ['NOT_FOUND', ({ url }) => url.includes('/:')],
  ['BODY_TOO_LARGE', takesBody],
  ['UNSUPPORTED_MEDIA_TYPE', takesBody],
  ['RATE_LIMITED', ({ limited }) => limited],
  ['INTERNAL', () => true],
  ['UNAVAILABLE', ({ needsKey }) => needsKey],
  ['OVERLOADED', ({ needsKey, url }) => needsKey && url !== '/api/now' && !url.startsWith('/api/metrics/')],
  ['STORAGE_FULL', (route) => isApi(route) && takesBody(route)],
];

/** By status, in ascending order. */
export function errorsOf(route: RouteFacts, own: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const codes = new Set([...RULES.filter(([, when]) => when(route)).map(([code]) => code), ...own]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    if (!codes.has(code)) continue;
    const { statusCode } = ERRORS[code];
    byStatus.set(statusCode, [...(byStatus.get(statusCode) ?? []), code]);
  }
  return new Map([...byStatus].toSorted(([a], [b]) => a - b));
}

const ref = (name: string) => ({ $ref: `#/components/headers/${name}` });
const HEADERS_OF: Partial<Record<ErrorCode, string[]>> = {
  UNAUTHENTICATED: ['www-authenticate'],
  RATE_LIMITED: [
    'retry-after',
    'ratelimit',
    'ratelimit-policy',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
  ],
  OVERLOADED: ['retry-after'],
  PICTURES_BUSY: ['retry-after'],
  PICTURE_FAILED: ['retry-after'],
  RANGE_NOT_SATISFIABLE: ['content-range'],
};
export const headerRefs = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, ref(name)]));

/** Name of the component that describes these codes of one status. */
export const responseName = (codes: readonly ErrorCode[]): string => codes.join('_or_');

export function errorResponse(codes: readonly ErrorCode[]) {
  const headers = codes.flatMap((code) => HEADERS_OF[code] ?? []);
  const exampleOf = (code: ErrorCode) => ({
    statusCode: ERRORS[code].statusCode,
    code,
    error: STATUS_CODES[ERRORS[code].statusCode] ?? 'Error',
    message: ERRORS[code].message,
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].message}`).join('; '),
    ...(headers.length > 0 && { headers: headerRefs(headers) }),
    content: {
      'application/json': {
        schema: {
          $ref: '#/components/schemas/ErrorBody',
          type: 'object',
          properties: { code: { type: 'string', enum: [...codes] as unknown[] } },
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

const text = (description: string) => ({ description, schema: { type: 'string' } });
const number = (description: string) => ({ description, schema: { type: 'string', pattern: '^\\d+$' } });
export const HEADERS: Record<string, { description: string; schema: Record<string, unknown> }> = {
  ratelimit: text('What is left, and in how many seconds it is more: `"requests";r=599;t=60`'),
  'ratelimit-policy': text('How many requests in how many seconds: `"requests";q=600;w=60`'),
  'ratelimit-limit': number('Requests of this kind that the key may make a minute; absent where limits are off'),
  'ratelimit-remaining': number('How many of them are left in this minute'),
  'ratelimit-reset': number('Seconds until more of them are left'),
  'retry-after': number('Seconds until the next request can succeed'),
  etag: text('Of these bytes; send it back as If-None-Match, or as If-Range with a range'),
  'last-modified': text('When the file was written'),
  'cache-control': text('How long the bytes may be kept'),
  'accept-ranges': { description: 'Ranges of bytes are served', schema: { type: 'string', enum: ['bytes'] } },
  'www-authenticate': text('How to sign in: `Bearer`'),
  'content-range': text('Which bytes of how many; `bytes */SIZE` where the range lies outside of the file'),
  'content-disposition': text('The name to save the file under'),
  'idempotency-replayed': {
    description: '`true`: this is the stored answer of an earlier request with the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
  'set-cookie': text('The session, HttpOnly and SameSite=Strict'),
  vary: text('The request header that chose the form'),
};
