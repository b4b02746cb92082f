import type { FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { ErrorBody, Id, closed } from '#contract/common.ts';

/** Adds what every route may answer. */
export const replies = <T extends Record<number, TSchema>>(own: T) => ({ ...own, '4xx': ErrorBody, '5xx': ErrorBody });
export const IdParams = Type.Object({ id: Id }, closed);
export const NoContent = Type.Null({ description: 'no content' });
/** Bytes, described for the document; Fastify sends buffers and streams as they are. */
export const Bytes = (description: string) => Type.Unsafe<unknown>({ type: 'string', format: 'binary', description });
/** What routes that stream a file say of ranges. */
export const RANGES =
  'One range per request (RFC 9110): 206 with Content-Range, 416 with Content-Range when it lies behind the end; a suffix longer than the file gives all of it. Malformed ranges, other units and several ranges at once are ignored (200). If-Range takes the strong tag or the exact Last-Modified; HEAD gives the headers of the whole file. Never compressed.';
/** Of an address that was given out signed; `plugins/signed-urls.ts` has checked both before. */
export const SignedQuery = {
  expires: Type.Optional(Type.Integer({ minimum: 1, maximum: 999_999_999_999 })),
  signature: Type.Optional(Type.String({ maxLength: 64 })),
};
/** Until the signed address that was asked for expires; null where a key was shown. */
export const secondsLeft = ({ signedUntil }: FastifyRequest): number | null =>
  signedUntil === null ? null : Math.max(0, Math.floor(signedUntil - Date.now() / 1000));
