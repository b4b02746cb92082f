import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ModelCard } from '../../../src/inference/model.ts';

export const CARD: ModelCard = {
  name: 'nuclei',
  version: '1',
  sha256: '0'.repeat(64),
  input: { name: 'image', multipleOf: 16 },
  output: { name: 'logits', classes: ['background', 'interior', 'boundary'] },
};

/** An inference request as the server read it. */
export interface Inference {
  headers: IncomingHttpHeaders;
  path: string;
  binary: boolean;
  /** [b, 1, h, w] */
  shape: number[];
  data: Float32Array;
  /** Whether the output is wanted in binary. */
  binaryOutput: boolean;
  /** Answers as a good server would, with these changes. */
  answer(changes?: Changes): void;
  response: ServerResponse;
}
interface Changes {
  /** Instead of what the scripted model gives. */
  logits?: Float32Array;
  output?: object;
  status?: number;
  headers?: Record<string, string>;
}
interface Tensor {
  shape: number[];
  data?: number[];
  parameters?: { binary_data_size?: number; binary_data?: boolean };
}

/** What the scripted model does: plane p of a pixel is (p + 1) times its value. */
export function logitsOf(input: Float32Array, count: number): Float32Array {
  const pixels = input.length / count;
  return Float32Array.from({ length: 3 * input.length }, (_, i) => {
    const [image, rest] = [Math.floor(i / (3 * pixels)), i % (3 * pixels)];
    return (Math.floor(rest / pixels) + 1) * input[image * pixels + (rest % pixels)]!;
  });
}

/** A server of the protocol, written here: it does what its fields say, which a test may change at any time. */
export async function startScripted(start: Partial<ReturnType<typeof defaults>> = {}) {
  const state = { ...defaults(), ...start };
  const sockets = new Set<Socket>();
  const seen = { sockets: 0, paths: [] as string[], inferences: [] as Inference[] };

  const server = createServer((request, response) => {
    const path = request.url!;
    const chunks: Buffer[] = [];
    seen.paths.push(path);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const json = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (state.silent) return;
      if (path.endsWith('/infer')) {
        const inference = read(path, request.headers, Buffer.concat(chunks), response);
        if (inference.binary && !state.takesBinary) return json(400, { error: 'body is not JSON' });
        seen.inferences.push(inference);
        return state.infer(inference, seen.inferences.length);
      }
      if (path === '/v2') return json(200, { name: 'scripted', version: '1', extensions: state.extensions });
      if (path.endsWith('/health/ready')) return response.writeHead(state.ready).end();
      if (path.endsWith('/ready'))
        return json(state.modelReady, state.modelReady === 200 ? { ready: true } : { error: 'model is loading' });
      return json(200, state.metadata);
    });
  });
  server.on('connection', (socket) => {
    seen.sockets++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // A keep-alive that never ends by itself: who reuses connections needs one only.
  server.keepAliveTimeout = 60_000;
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });

  return { url: `http://127.0.0.1:${port}`, state, seen, close, reopen: () => listen(port) };
}
export type Scripted = Awaited<ReturnType<typeof startScripted>>;

function defaults() {
  return {
    extensions: ['binary_tensor_data'] as string[],
    takesBinary: true,
    ready: 200,
    modelReady: 200,
    /** Takes requests and says nothing. */
    silent: false,
    metadata: {
      name: 'nuclei',
      platform: 'scripted',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, -1, -1] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 3, -1, -1] }],
    } as unknown,
    /** @param nth from 1 */
    infer: (inference: Inference, _nth: number): void => inference.answer(),
  };
}

function read(path: string, headers: IncomingHttpHeaders, body: Buffer, response: ServerResponse): Inference {
  const length = headers['inference-header-content-length'];
  const head = JSON.parse(body.subarray(0, length === undefined ? undefined : Number(length)).toString()) as {
    inputs: [Tensor];
    outputs?: [Tensor];
  };
  const [input] = head.inputs;
  const binary = length !== undefined;
  const bytes = body.subarray(Number(length ?? 0));
  const data = binary
    ? Float32Array.from({ length: input.parameters!.binary_data_size! / 4 }, (_, i) => bytes.readFloatLE(4 * i))
    : Float32Array.from(input.data!);
  const binaryOutput = head.outputs?.[0].parameters?.binary_data === true;
  const inference = { headers, path, binary, shape: input.shape, data, binaryOutput, response };
  return { ...inference, answer: (changes = {}) => reply(inference, changes) };
}

function reply(
  { shape: [count, , height, width], data, binaryOutput, response }: Omit<Inference, 'answer'>,
  { logits = logitsOf(data, count!), output = {}, status = 200, headers = {} }: Changes,
): void {
  const tensor = { name: 'logits', datatype: 'FP32', shape: [count, 3, height, width] };
  const coded = binaryOutput ? { parameters: { binary_data_size: logits.byteLength } } : { data: [...logits] };
  const head = Buffer.from(JSON.stringify({ model_name: 'nuclei', outputs: [{ ...tensor, ...coded, ...output }] }));
  if (!binaryOutput) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(head);
    return;
  }
  const body = Buffer.concat([head, Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength)]);
  const type = { 'content-type': 'application/octet-stream', 'inference-header-content-length': head.length };
  response.writeHead(status, { ...type, ...headers, 'content-length': body.length }).end(body);
}
