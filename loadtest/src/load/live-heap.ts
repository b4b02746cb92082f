import { WebSocket } from 'ws';

/** What a role needs to be asked about its heap: an inspector on loopback, at any free port. Its children inherit it. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

const LISTENING = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)/;
/** All that it writes; a role's name stands before each line. */
const INSPECTORS = /^(\w+: )?(Debugger |Waiting for the debugger |For help, see: https:\/\/nodejs\.org\/)/;
const CALL_WITHIN_MS = 20_000;
/** A first collection may leave what finalizers hold; the second takes that too. */
const COLLECTIONS = 2;

interface Reply {
  id: number;
  result?: { result?: { value?: unknown } };
  error?: { message: string };
}

/** Asks a process through its inspector; `inspect` of another process would have to be in it. */
async function openInspector(url: string) {
  const socket = new WebSocket(url, { handshakeTimeout: CALL_WITHIN_MS });
  const waiting = new Map<number, PromiseWithResolvers<Reply>>();
  let last = 0;
  const gone = new Error(`the inspector at ${url} is gone`);
  socket.on('message', (data: Buffer) => {
    const reply = JSON.parse(data.toString()) as Reply;
    waiting.get(reply.id)?.resolve(reply);
  });
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(gone);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  socket.on('error', () => socket.terminate());
  async function call(method: string, params: object = {}): Promise<Reply> {
    if (socket.readyState !== WebSocket.OPEN) throw gone;
    const id = ++last;
    const reply = Promise.withResolvers<Reply>();
    waiting.set(id, reply);
    const late = setTimeout(() => reply.reject(new Error(`${method}: no answer within 20 s`)), CALL_WITHIN_MS);
    try {
      socket.send(JSON.stringify({ id, method, params }));
      const answer = await reply.promise;
      if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
      return answer;
    } finally {
      clearTimeout(late);
      waiting.delete(id);
    }
  }
  return {
    async evaluate(expression: string): Promise<unknown> {
      const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
      return result?.result?.value;
    },
    collect: () => call('HeapProfiler.collectGarbage'),
    close: () => socket.terminate(),
  };
}
type Inspector = Awaited<ReturnType<typeof openInspector>>;

export interface LiveHeap {
  pid: number;
  /** What lives after a full collection: V8's heap, and the buffers that it holds. */
  bytes: number;
}

/**
 * Finds inspectors in what processes print (a role's lines hold those of its children), and measures what lives in each. A process
 * that ends is forgotten.
 */
export function createLiveHeaps() {
  const urls = new Set<string>();
  const open = new Map<string, { pid: number; inspector: Inspector }>();

  async function measure(url: string): Promise<LiveHeap | null> {
    try {
      let known = open.get(url);
      if (!known) {
        const inspector = await openInspector(url);
        known = { inspector, pid: Number(await inspector.evaluate('process.pid')) };
        open.set(url, known);
      }
      const { inspector, pid } = known;
      for (let i = 0; i < COLLECTIONS; i++) await inspector.collect();
      const bytes = await inspector.evaluate(
        '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())',
      );
      return typeof bytes === 'number' ? { pid, bytes } : null;
    } catch {
      urls.delete(url);
      open.get(url)?.inspector.close();
      open.delete(url);
      return null;
    }
  }
  return {
    /** A line of a process's output; true for those that its inspector wrote. */
    heard(line: string): boolean {
      const url = LISTENING.exec(line)?.[1];
      if (url !== undefined) urls.add(url);
      return INSPECTORS.test(line);
    },
    /** One process after the other: a collection stops it for a moment, never all at once. */
    async measure(): Promise<LiveHeap[]> {
      const all: LiveHeap[] = [];
      for (const url of urls) {
        const one = await measure(url);
        if (one) all.push(one);
      }
      return all;
    },
    close(): void {
      for (const { inspector } of open.values()) inspector.close();
      open.clear();
      urls.clear();
    },
  };
}
export type LiveHeaps = ReturnType<typeof createLiveHeaps>;
