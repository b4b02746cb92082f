import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problemOf } from '../../../examples/webhook-receiver.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

/** Settings of a service that has somebody to tell, who does not answer. */
export const WEBHOOKS = {
  WEBHOOK_ORIGINS: 'http://127.0.0.1:1',
  WEBHOOK_URL: 'http://127.0.0.1:1/hook',
  WEBHOOK_SECRET: SECRET,
};

export interface Received {
  id: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: { type: string; timestamp: string; data: Record<string, unknown> };
  /** By the example of the documentation, which shares no code with the service. */
  problem: string | null;
}

/** Somebody who is told: keeps what came, and answers as it is told to. */
export async function startReceiver(
  answer: (reply: ServerResponse, nth: number) => void = (reply) => reply.end(),
  secret = SECRET,
) {
  const received: Received[] = [];
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { headers, url = '' } = request;
      const body = JSON.parse(text) as Received['body'];
      const problem = problemOf(headers, text, secret);
      received.push({ id: String(headers['webhook-id']), path: url, headers, body, problem });
      answer(reply, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    received,
    answerWith: (next: typeof answer) => void (answer = next),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
