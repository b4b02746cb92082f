import { createHmac } from 'node:crypto';

/** Of the Standard Webhooks specification: the key's bytes in base64 behind this. */
const PREFIX = 'whsec_';

/**
 * The headers of a message by the Standard Webhooks specification: HMAC-SHA-256 over `id.timestamp.body`, once for each secret,
 * so that a receiver who knows the new one or the old one is content.
 * @param seconds since 1970, of this attempt: a receiver refuses what is too old
 */
export function signedHeaders(
  message: { id: string; body: string },
  seconds: number,
  secrets: readonly string[],
): Record<string, string> {
  const content = `${message.id}.${seconds}.${message.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  };
}
