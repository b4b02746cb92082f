import type { ModelCard } from '../model.ts';
import type { ProbeResult } from './balancer.ts';
import { exchange, ExchangeError, type Reply } from './exchange.ts';
import { mismatchOf, offersBinary } from './metadata.ts';
import {
  decodeReply,
  encodeRequest,
  isBinary,
  isRecord,
  modelPath,
  parseJson,
  ProtocolError,
  replyLimit,
  wordsOf,
} from './protocol.ts';
import { publicUrl } from './urls.ts';

export interface ProbeOptions {
  card: ModelCard;
  /** The model's version on the server; its own choice otherwise. */
  version?: string | undefined;
  timeoutMs: number;
  /** For the trial inference, which may be the model's first one. */
  trialTimeoutMs: number;
  fetch?: typeof fetch;
}
/** @param binary what was found when this endpoint was examined; null for one that has to be */
export type Probe = (url: string, binary: boolean | null, signal: AbortSignal) => Promise<ProbeResult>;

const METADATA_LIMIT = 2 ** 20;

/**
 * Asks an endpoint whether it and its model are ready. One that is new, or comes back, is examined: its metadata have to be those
 * of the card, and it has to segment an empty image of the smallest size.
 */
export function createProbe({ card, version, timeoutMs, trialTimeoutMs, fetch }: ProbeOptions): Probe {
  const model = modelPath(card.name, version);
  const shape = { count: 1, width: card.input.multipleOf, height: card.input.multipleOf };
  const common = fetch === undefined ? {} : { fetch };

  return async function probe(url, binary, signal) {
    const get = (path: string) => exchange(url, path, { ...common, signal, timeoutMs, limitBytes: METADATA_LIMIT });
    const problemOf = (path: string, reply: Reply): ProbeResult | null => {
      if (reply.status === 200) return null;
      const reason = `${publicUrl(url)}${path} answered ${reply.status}: ${wordsOf(reply)}`;
      const later = reply.status >= 500 || reply.status === 429;
      return later ? { kind: 'not-ready', reason, certain: true } : { kind: 'unfit', reason };
    };

    /** One inference, its tensors in binary or in JSON. @throws ExchangeError, ProtocolError */
    async function tried(asBinary: boolean): Promise<ProbeResult> {
      const path = `${model}/infer`;
      const request = encodeRequest(card, new Float32Array(shape.width * shape.height), shape, asBinary);
      const limits = { timeoutMs: trialTimeoutMs, limitBytes: replyLimit(shape) };
      const reply = await exchange(url, path, { ...common, ...request, ...limits, method: 'POST', signal });
      const problem = problemOf(path, reply);
      if (problem) return problem;
      decodeReply(reply, card, shape);
      return { kind: 'ready', binary: asBinary && isBinary(reply) };
    }
    /** KServe's own server takes binary data and does not say so. Only a binary reply shows that ours was read as such. */
    async function takesBinary(): Promise<boolean> {
      try {
        const result = await tried(true);
        return result.kind === 'ready' && result.binary;
      } catch (error) {
        if (error instanceof ExchangeError || error instanceof ProtocolError) return false;
        throw error;
      }
    }
    async function examined(): Promise<ProbeResult> {
      const server = await get('/v2');
      const listed = server.status === 200 && offersBinary(parseJson(server.body));
      const metadata = await get(model);
      const problem = problemOf(model, metadata);
      if (problem) return problem;
      const mismatch = mismatchOf(parseJson(metadata.body), card);
      if (mismatch) return { kind: 'unfit', reason: `${publicUrl(url)}: ${mismatch}` };
      if (!listed && (await takesBinary())) return { kind: 'ready', binary: true };
      const result = await tried(listed);
      return result.kind === 'ready' ? { kind: 'ready', binary: listed } : result;
    }

    try {
      for (const path of ['/v2/health/ready', `${model}/ready`]) {
        const reply = await get(path);
        if (saysReady(reply)) continue;
        const reason = `${publicUrl(url)}${path} answered ${reply.status}: ${wordsOf(reply)}`;
        return { kind: 'not-ready', reason, certain: true };
      }
      return binary === null ? await examined() : { kind: 'ready', binary };
    } catch (error) {
      const reason = `${publicUrl(url)}: ${error instanceof Error ? error.message : String(error)}`;
      if (error instanceof ProtocolError) return { kind: 'unfit', reason };
      if (error instanceof ExchangeError) return { kind: 'not-ready', reason, certain: error.why === 'unreachable' };
      throw error;
    }
  };
}

/** The status says it; a server whose body says something else is not ready either. */
function saysReady({ status, headers, body }: Reply): boolean {
  if (status !== 200) return false;
  if (body.length === 0 || !/json/.test(headers.get('content-type') ?? '')) return true;
  const said = parseJson(body);
  return !isRecord(said) || (said['ready'] !== false && said['live'] !== false);
}
