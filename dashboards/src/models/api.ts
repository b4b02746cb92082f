import { fillPath, type Call, type Optional, type ReplyOf, type RouteName } from '#contract/client.ts';
import type { ErrorBody } from '#contract/common.ts';
import { WORDS } from '../words/common.ts';

export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  /** Files that were refused, of an upload of which none was accepted. */
  readonly rejected: NonNullable<ErrorBody['rejected']>;
  constructor(statusCode: number, code: string, message: string, rejected: ErrorBody['rejected'] = []) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
    this.rejected = rejected;
  }
}

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
export type Api = ReturnType<typeof createApi>;

interface Given {
  path?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal;
  accept?: string;
}

/**
 * The HTTP interface, typed by the OpenAPI document. Every method throws `ApiError` with the server's code and message; a network
 * failure has code `NETWORK` and status 0. `onSignedOut` runs when a key or session is missing, expired or revoked.
 */
export function createApi(options: { fetch: Fetch; onSignedOut: () => void }) {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await options.fetch(path, { credentials: 'same-origin', ...init });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new ApiError(0, 'NETWORK', WORDS.noAnswer);
    }
    if (response.ok) return response;
    if (response.status === 401) options.onSignedOut();
    const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
    throw new ApiError(
      response.status,
      body?.code ?? 'UNKNOWN',
      body?.message ?? WORDS.answered(response.status),
      body?.rejected,
    );
  }
  function send(route: string, given: Given = {}): Promise<Response> {
    const [method = '', template = ''] = route.split(' ');
    const { body, signal, accept } = given;
    return request(fillPath(template, given), {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(accept && { accept }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }
  return {
    /** For what is not JSON in both directions; `path` from `addressOf`. */
    request,
    async call<R extends RouteName>(
      route: R,
      ...[given]: Optional<Call<R> & { signal?: AbortSignal }>
    ): Promise<ReplyOf<R>> {
      const response = await send(route, given as Given | undefined);
      return (response.status === 204 ? undefined : await response.json()) as ReplyOf<R>;
    },
    async bytes<R extends RouteName>(route: R, given: Call<R> & { accept?: string }): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(await (await send(route, given as Given)).arrayBuffer());
    },
    /** The same as they come, in pieces as large as the network has them. */
    async *pieces<R extends RouteName>(route: R, given: Call<R> & { accept?: string }): AsyncGenerator<Uint8Array> {
      const response = await send(route, given as Given);
      // Not every browser iterates a stream.
      const reader = response.body!.getReader();
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
      } catch {
        throw new ApiError(0, 'NETWORK', WORDS.noAnswer);
      } finally {
        reader.cancel().catch(() => {});
      }
    },
  };
}
