import { isUtf8 } from 'node:buffer';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { apiError, shown, type ApiError } from '../errors.ts';

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;
const UTF_8 = /^(utf-?8|us-ascii)$/i;

/** JSON between systems is UTF-8 (RFC 8259 section 8.1): what is said or sent in another encoding is refused, never guessed. */
function refusedEncoding(contentType: string | undefined, body: Buffer): ApiError | null {
  const charset = CHARSET.exec(contentType ?? '')?.[1];
  if (charset !== undefined && !UTF_8.test(charset))
    return apiError(
      'UNSUPPORTED_MEDIA_TYPE',
      `content-type is ${shown(contentType)}: expected application/json in UTF-8`,
    );
  return isUtf8(body) ? null : apiError('BAD_REQUEST', 'body is not valid UTF-8: expected JSON in UTF-8');
}

/** Why Fastify's parser refused it. The text itself may be a secret, and is not repeated. */
function refusedText(text: string): ApiError {
  try {
    JSON.parse(text);
    return apiError('BAD_REQUEST', 'body has a key "__proto__", or "prototype" in "constructor": neither is allowed');
  } catch (error) {
    const at = /at position \d+/.exec(String(error))?.[0];
    return apiError(
      'BAD_REQUEST',
      `body is not valid JSON${at === undefined ? '' : ` ${at}`}: expected what its content-type says, application/json`,
    );
  }
}

/** Bodies of `application/json`. Of a key that comes twice the last one counts. */
export default fp(
  async (app: FastifyInstance) => {
    const parse = app.getDefaultJsonParser('error', 'error');
    // A form of another site can send text, but not JSON.
    app.removeContentTypeParser(['application/json', 'text/plain']);
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
      const refused = refusedEncoding(request.headers['content-type'], bytes as Buffer);
      const body = bytes.toString();
      if (refused) done(refused);
      // A POST without a body may still say `application/json`.
      else if (body === '') done(null, undefined);
      else void parse(request, body, (error, value) => done(error && refusedText(body), value));
    });
  },
  { name: 'json-body' },
);
