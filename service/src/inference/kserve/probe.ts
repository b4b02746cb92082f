import type { ModelCard } from '../model.ts';
import type { Manner, ProbeResult } from './balancer.ts';
import { exchange, ExchangeError, type Reply } from './exchange.ts';
import { mismatchOf, offersBinary, versionsOf } from './metadata.ts';
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
  /** The model's version: asked for, and required, where the server lists versions; the server's own choice otherwise. */
  version?: string | undefined;
  timeoutMs: number;
  /** For the trial inference, which may be the model's first one. */
  trialTimeoutMs: number;
  fetch?: typeof fetch;
}
/** @param known what was found when this endpoint was examined; null for one that has to be */
export type Probe = (url: string, known: Manner | null, signal: AbortSignal) => Promise<ProbeResult>;

const METADATA_LIMIT = 2 ** 20;

/**
 * Asks an endpoint whether it and its model are ready. One that is new, or comes back, is examined: its metadata have to be those
 * of the card, and it has to segment an empty image of the smallest size.
 */
export function createProbe({ card, version, timeoutMs, trialTimeoutMs, fetch }: ProbeOptions): Probe {
  const pathOf = (versioned: boolean) => modelPath(card.name, versioned ? version : undefined);
  const shape = { count: 1, width: card.input.multipleOf, height: card.input.multipleOf };
  const common = fetch === undefined ? {} : { fetch };

  return async function probe(url, known, signal) {
    const get = (path: string) => exchange(url, path, { ...common, signal, timeoutMs, limitBytes: METADATA_LIMIT });
    const problemOf = (path: string, reply: Reply): ProbeResult | null => {
      if (reply.status === 200) return null;
      const reason = `${publicUrl(url)}${path} answered ${reply.status}: ${wordsOf(reply)}`;
      const later = reply.status >= 500 || reply.status === 429;
      return later ? { kind: 'not-ready', reason, certain: true } : { kind: 'unfit', reason };
    };

    /** One inference, its tensors in binary or in JSON. @throws ExchangeError, ProtocolError */
    async function tried({ binary, versioned }: Manner): Promise<ProbeResult> {
      const path = `${pathOf(versioned)}/infer`;
      const request = encodeRequest(card, new Float32Array(shape.width * shape.height), shape, binary);
      const limits = { timeoutMs: trialTimeoutMs, limitBytes: replyLimit(shape) };
      const reply = await exchange(url, path, { ...common, ...request, ...limits, method: 'POST', signal });
      const problem = problemOf(path, reply);
      if (problem) return problem;
      decodeReply(reply, card, shape);
      return { kind: 'ready', binary: binary && isBinary(reply), versioned };
    }
    /** KServe's own server takes binary data and does not say so. Only a binary reply shows that ours was read as such. */
    async function takesBinary(versioned: boolean): Promise<boolean> {
      try {
        const result = await tried({ binary: true, versioned });
        return result.kind === 'ready' && result.binary;
      } catch (error) {
        if (error instanceof ExchangeError || error instanceof ProtocolError) return false;
        throw error;
      }
    }
    async function examined(): Promise<ProbeResult> {
      const server = await get('/v2');
      const listed = server.status === 200 && offersBinary(parseJson(server.body));
      const unfit = (reason: string): ProbeResult => ({ kind: 'unfit', reason: `${publicUrl(url)}: ${reason}` });
      let metadata = await get(pathOf(false));
      const versions = metadata.status === 200 ? versionsOf(parseJson(metadata.body)) : [];
      const versioned = version !== undefined && versions.length > 0;
      if (versioned && !versions.includes(version))
        return unfit(
          `model "${card.name}" has the versions ${versions.join(', ')}, expected ${version}, the latest of MODELS_DIR`,
        );
      if (versioned) metadata = await get(pathOf(true));
      const problem = problemOf(pathOf(versioned), metadata);
      if (problem) return problem;
      const mismatch = mismatchOf(parseJson(metadata.body), card);
      if (mismatch) return unfit(mismatch);
      if (!listed && (await takesBinary(versioned))) return { kind: 'ready', binary: true, versioned };
      const result = await tried({ binary: listed, versioned });
      return result.kind === 'ready' ? { ...result, binary: listed } : result;
    }

    try {
      for (const path of ['/v2/health/ready', `${pathOf(known?.versioned ?? false)}/ready`]) {
        const reply = await get(path);
        if (saysReady(reply)) continue;
        const reason = `${publicUrl(url)}${path} answered ${reply.status}: ${wordsOf(reply)}`;
        return { kind: 'not-ready', reason, certain: true };
      }
      return known === null ? await examined() : { kind: 'ready', ...known };
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
