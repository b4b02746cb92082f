import { Type, type TSchema } from 'typebox';
import { ErrorBody, Id, closed } from '#contract/common.ts';

/** Adds what every route may answer. */
export const replies = <T extends Record<number, TSchema>>(own: T) => ({ ...own, '4xx': ErrorBody, '5xx': ErrorBody });
export const IdParams = Type.Object({ id: Id }, closed);
export const NoContent = Type.Null({ description: 'no content' });
/** Bytes, described for the document; Fastify sends buffers and streams as they are. */
export const Bytes = (description: string) => Type.Unsafe<unknown>({ type: 'string', format: 'binary', description });
