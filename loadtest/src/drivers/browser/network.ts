export interface PageRequest {
  id: string;
  method: string;
  url: string;
  path: string;
  body: string | undefined;
  /** Epoch ms. */
  atMs: number;
  type: string;
  mimeType?: string;
  status?: number;
  /** Headers and body, as far as they have come. */
  wireBytes?: number;
  /** The body is not what went over the wire. */
  compressed?: boolean;
  finished: boolean;
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** `GET /api/images/:id/render`: method and path with ids and file hashes replaced, for counting by route. */
export const routeOf = ({ method, path }: { method: string; path: string }): string =>
  `${method} ${path.replaceAll(ID, ':id').replace(/^\/(naive\/)?assets\/.*$/, '/assets/*')}`;

const BULK_PATHS = [
  /^\/api\/segmentation\//,
  /^\/api\/images\/[^/]+\/(segmentation|overlay)$/,
  /^\/api\/batches\/[^/]+\/exports$/,
  /^\/api\/(exports|download)\//,
];

/** Whether a request carries results, overlays or polygons, by whatever route (docs/measuring.md). */
export function isBulk(request: Pick<PageRequest, 'path' | 'url' | 'body' | 'mimeType'>): boolean {
  if (BULK_PATHS.some((pattern) => pattern.test(request.path))) return true;
  if (request.mimeType === 'application/vnd.segbench.polygons') return true;
  return request.path === '/graphql' && /polygon|overlay|segmentation|result/i.test(`${request.url}${request.body}`);
}

export interface CdpRequestWillBeSent {
  requestId: string;
  request: { url: string; method: string; postData?: string };
  timestamp: number;
  wallTime: number;
  type?: string;
}
export interface CdpResponseReceived {
  requestId: string;
  response: { mimeType: string; status: number; encodedDataLength: number; headers: Record<string, string> };
}
/** A piece of a body: as it came, which may be told later than the piece, and as the page has it. */
export interface CdpDataReceived {
  requestId: string;
  encodedDataLength: number;
  dataLength: number;
}
export interface CdpLoadingFinished {
  requestId: string;
  encodedDataLength: number;
}

/** Collects what CDP's Network domain says about a page's requests. `session` keeps ids of workers apart from the page's. */
export function createNetworkLog() {
  const requests: PageRequest[] = [];
  const open = new Map<string, PageRequest>();
  /** Epoch seconds minus CDP's monotonic seconds. */
  let monotonicOffset: number | undefined;
  return {
    sent(event: CdpRequestWillBeSent, session = ''): PageRequest {
      monotonicOffset ??= event.wallTime - event.timestamp;
      const { url, method, postData } = event.request;
      const request: PageRequest = {
        id: event.requestId,
        method,
        url,
        path: URL.canParse(url) ? new URL(url).pathname : url,
        body: postData,
        atMs: event.wallTime * 1000,
        type: event.type ?? 'Other',
        finished: false,
      };
      requests.push(request);
      open.set(session + event.requestId, request);
      return request;
    },
    received({ requestId, response }: CdpResponseReceived, session = ''): void {
      const { mimeType, status, encodedDataLength: wireBytes, headers } = response;
      const compressed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding');
      Object.assign(open.get(session + requestId) ?? {}, { mimeType, status, wireBytes, compressed });
    },
    /**
     * Counted piece by piece: Chromium may call a `no-store` reply that a page read to its end as a stream aborted, and then gives no sum
     * (github.com/microsoft/playwright/issues/42742).
     */
    data({ requestId, encodedDataLength, dataLength }: CdpDataReceived, session = ''): void {
      const request = open.get(session + requestId);
      if (request) request.wireBytes = (request.wireBytes ?? 0) + (request.compressed ? encodedDataLength : dataLength);
    },
    finished({ requestId, encodedDataLength }: CdpLoadingFinished, session = ''): PageRequest | undefined {
      const request = open.get(session + requestId);
      if (request) Object.assign(request, { wireBytes: encodedDataLength, finished: true });
      return request;
    },
    failed({ requestId }: { requestId: string }, session = ''): void {
      Object.assign(open.get(session + requestId) ?? {}, { finished: true });
    },
    /** Epoch ms of a CDP monotonic stamp; undefined before the first request. */
    epochMs: (timestamp: number): number | undefined =>
      monotonicOffset === undefined ? undefined : (timestamp + monotonicOffset) * 1000,
    all: (): readonly PageRequest[] => requests,
    between: (fromMs: number, toMs: number): PageRequest[] =>
      requests.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs),
  };
}
export type NetworkLog = ReturnType<typeof createNetworkLog>;

export function countByRoute(requests: readonly PageRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const request of requests) {
    if (!request.path.startsWith('/api') && request.path !== '/graphql') continue;
    const route = routeOf(request);
    counts[route] = (counts[route] ?? 0) + 1;
  }
  return counts;
}
