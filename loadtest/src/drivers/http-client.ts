import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { fillPath, type Call, type Optional, type ReplyOf, type RouteName } from '#contract/client.ts';

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** From the call to the last byte. */
  durationMs: number;
}
export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

type CallOptions = Pick<HttpRequest, 'signal' | 'timeoutMs'>;
type Filled = Record<string, string>;

/**
 * A keep-alive client for one origin. `node:http` rather than `fetch`: bodies arrive as they were sent (nothing is
 * decompressed), and the number of connections is what the caller asks for.
 */
export function createHttpClient(options: { baseUrl: string; key: string; connections: number }) {
  const base = new URL(options.baseUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });

  function request(path: string, init: HttpRequest = {}): Promise<HttpReply> {
    const { method = 'GET', headers = {}, body, signal, timeoutMs = 60_000 } = init;
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const call = httpRequest(
        {
          agent,
          host: base.hostname,
          port: base.port,
          path,
          method,
          signal: signal ?? undefined,
          headers: {
            authorization: `Bearer ${options.key}`,
            ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
              durationMs: performance.now() - started,
            });
          });
        },
      );
      call.setTimeout(timeoutMs, () => call.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)));
      call.on('error', reject);
      call.end(body);
    });
  }

  /** A JSON call; any status but 2xx is an error with the service's own code and message. */
  async function json<T>(path: string, init: Omit<HttpRequest, 'body'> & { body?: unknown } = {}): Promise<T> {
    const { body, headers, ...rest } = init;
    const reply = await request(path, {
      ...rest,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (reply.status < 200 || reply.status > 299)
      throw new Error(
        `${init.method ?? 'GET'} ${path}: status ${reply.status}: ${reply.body.toString().slice(0, 300)}`,
      );
    return (reply.body.length > 0 ? JSON.parse(reply.body.toString()) : undefined) as T;
  }

  /** A JSON call by the OpenAPI document: parameters, body and reply are checked by the compiler. */
  function call<R extends RouteName>(route: R, ...[given]: Optional<Call<R> & CallOptions>): Promise<ReplyOf<R>> {
    const [method = '', template = ''] = route.split(' ');
    const { path, query, body, ...rest } = (given ?? {}) as CallOptions & {
      path?: Filled;
      query?: Filled;
      body?: unknown;
    };
    return json<ReplyOf<R>>(fillPath(template, { path, query }), {
      ...rest,
      method,
      ...(body === undefined ? {} : { body }),
    });
  }

  return { request, json, call, close: () => agent.destroy() };
}
export type HttpClient = ReturnType<typeof createHttpClient>;
