/**
 * A receiver of segbench's webhooks in Node alone, to start from: `WEBHOOK_SECRET=whsec_… node examples/webhook-receiver.ts 9000`.
 * Checks the signature by the Standard Webhooks specification, drops what came twice, and prints a line for each message.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const TOLERANCE_SECONDS = 300;
/** Of a body: nobody has proved who he is before all of it has come. */
const MOST_BYTES = 2 * 2 ** 20;

/**
 * Why a message must not be believed; null where it may.
 * @param headers of the request, names in lower case
 * @param body exactly as it came: parsed and written again it may be another text
 * @param secret `whsec_…`
 */
export function problemOf(
  headers: Record<string, string | string[] | undefined>,
  body: string,
  secret: string,
  nowSeconds: number = Date.now() / 1000,
): string | null {
  const id = String(headers['webhook-id']);
  const timestamp = Number(headers['webhook-timestamp']);
  // an old message sent again by somebody else has a good signature too
  if (!(Math.abs(nowSeconds - timestamp) <= TOLERANCE_SECONDS)) return 'webhook-timestamp is too old or too new';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const given = String(headers['webhook-signature'])
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3), 'base64'));
  const isGood = given.some((signature) => signature.length === wanted.length && timingSafeEqual(signature, wanted));
  return isGood ? null : 'webhook-signature is not ours';
}

if (import.meta.main) {
  const secret = process.env['WEBHOOK_SECRET'] ?? '';
  // with an empty key everybody can sign
  if (Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length < 24)
    throw new Error('WEBHOOK_SECRET is not set: expected whsec_ and at least 24 bytes in base64');
  /** Ids that were worked on; a real receiver keeps them where they outlive it. */
  const seen = new Set<string>();
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) return request.destroy();
      return chunks.push(chunk);
    });
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const problem = problemOf(request.headers, body, secret);
      if (problem !== null) return reply.writeHead(401).end(problem);
      const id = String(request.headers['webhook-id']);
      if (!seen.has(id)) {
        const { type, data } = JSON.parse(body) as { type: string; data: { batchId?: string; counts?: object } };
        process.stdout.write(`${type} ${data.batchId ?? ''} ${JSON.stringify(data.counts ?? {})}\n`);
      }
      seen.add(id);
      // only what is answered with 2xx is not sent again
      return reply.writeHead(204).end();
    });
  });
  server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => process.stdout.write('listening\n'));
}
