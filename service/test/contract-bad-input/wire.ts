import { connect } from 'node:net';

export interface WireAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}
export interface WireRequest {
  method: string;
  /** As it stands in the request line: nothing is normalised or encoded. */
  target: string;
  /** Written in this order, each as it is; a name may come twice. */
  headers?: readonly (readonly [string, string])[];
  body?: string | Buffer;
}

function dechunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

/** The first answer on a connection that was closed; interim ones (1xx) are left out. @throws Error where there is none */
export function parseAnswer(bytes: Buffer, method = 'GET'): WireAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.toString('latin1', 0, Math.max(0, end)).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  if (end < 0 || Number.isNaN(status))
    throw new Error(`no HTTP answer: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`);
  const rest = bytes.subarray(end + 4);
  if (status < 200 && status !== 101) return parseAnswer(rest, method);
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body =
    method === 'HEAD'
      ? Buffer.alloc(0)
      : headers.get('transfer-encoding') === 'chunked'
        ? dechunked(rest)
        : rest.subarray(0, Number(headers.get('content-length') ?? rest.length));
  return { status, headers, body };
}

/** What a server sends for bytes that no HTTP client would send, until it closes. `keepOpen`: this side says no more, but does not end either. */
export function sendBytes(
  url: string,
  bytes: readonly (string | Buffer)[],
  options: { halfClose?: boolean; timeoutMs?: number } = {},
): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      for (const part of bytes) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
      if (options.halfClose) socket.end();
    });
    socket.setTimeout(options.timeoutMs ?? 20_000, () =>
      socket.destroy(new Error(`no end of the answer: ${Buffer.concat(chunks).toString('latin1').slice(0, 200)}`)),
    );
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A server that has answered need not read the rest.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      chunks.length > 0 && ['EPIPE', 'ECONNRESET'].includes(error.code ?? '')
        ? resolve(Buffer.concat(chunks))
        : reject(error),
    );
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** One request on a connection of its own. */
export async function send(url: string, { method, target, headers = [], body }: WireRequest): Promise<WireAnswer> {
  const named = new Set(headers.map(([name]) => name.toLowerCase()));
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const all: (readonly [string, string])[] = [
    ...(named.has('host') ? [] : [['host', new URL(url).host] as const]),
    ...headers,
    ...(bytes === undefined || named.has('content-length') || named.has('transfer-encoding')
      ? []
      : [['content-length', String(bytes.length)] as const]),
    ['connection', 'close'],
  ];
  const head = `${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return parseAnswer(await sendBytes(url, [head, ...(bytes === undefined ? [] : [bytes])]), method);
}
