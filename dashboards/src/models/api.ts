import type { ErrorBody } from '#contract/common.ts';

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

/**
 * The HTTP interface below `/api`. Every method throws `ApiError` with the server's code and message; a network failure has
 * code `NETWORK` and status 0. `onSignedOut` runs when a key or session is missing, expired or revoked.
 */
export function createApi(options: { fetch: Fetch; onSignedOut: () => void }) {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await options.fetch(`/api${path}`, { credentials: 'same-origin', ...init });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new ApiError(0, 'NETWORK', 'The service does not answer.');
    }
    if (response.ok) return response;
    if (response.status === 401) options.onSignedOut();
    const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
    throw new ApiError(
      response.status,
      body?.code ?? 'UNKNOWN',
      body?.message ?? `The service answered ${response.status}.`,
      body?.rejected,
    );
  }
  const json = async <T>(path: string, init?: RequestInit): Promise<T> =>
    (await request(path, init)).json() as Promise<T>;
  const withBody = (method: string, body: unknown, signal?: AbortSignal): RequestInit => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return {
    request,
    get: <T>(path: string, signal?: AbortSignal) => json<T>(path, signal && { signal }),
    post: <T>(path: string, body: unknown) => json<T>(path, withBody('POST', body)),
    /** For replies without a body, or whose body does not matter. */
    send: async (method: string, path: string, body?: unknown): Promise<void> => {
      await request(path, body === undefined ? { method } : withBody(method, body));
    },
    async bytes(path: string, init?: { post?: unknown; accept?: string }): Promise<Uint8Array<ArrayBuffer>> {
      const base = init?.post === undefined ? {} : withBody('POST', init.post);
      const headers = { ...(base.headers as Record<string, string>), ...(init?.accept && { accept: init.accept }) };
      const response = await request(path, { ...base, headers });
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
