/**
 * A server of the Open Inference Protocol v2 (KServe, Triton, MLServer) with a model that has a card like that of
 * `service/models/nuclei/1`. The protocol knows no uploads and no events: an image is kept here until its turn, its request is
 * sent by way of the line that the run breaks, and the reply is the event. Sent again is what a broken connection took.
 *
 * KSERVE_URL: where it is, credentials allowed. KSERVE_CARD: folder with the model's card (default service/models/nuclei/1).
 * KSERVE_CONCURRENCY: requests at a time (default 4).
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target, TargetConfig, TargetEvent, TargetFile, TargetResult } from '../../loadtest/src/targets/target.ts';
import { decodeGray } from '../../service/src/inference/decode.ts';
import { exchange, ExchangeError } from '../../service/src/inference/kserve/exchange.ts';
import { createProbe } from '../../service/src/inference/kserve/probe.ts';
import {
  decodeReply,
  encodeRequest,
  modelPath,
  parseJson,
  replyLimit,
  wordsOf,
} from '../../service/src/inference/kserve/protocol.ts';
import { publicUrl } from '../../service/src/inference/kserve/urls.ts';
import { readCard, type ModelCard } from '../../service/src/inference/model.ts';
import { normaliseWindow, scaleOf } from '../../service/src/inference/normalise.ts';
import { planTiles } from '../../service/src/inference/tiles.ts';

const CARD = join(import.meta.dirname, '../../service/models/nuclei/1');
const MOST_PIXELS = 64e6;
const SMALL = { timeoutMs: 10_000, limitBytes: 1e6 };
const REPLY_WITHIN_MS = 60_000;
const ATTEMPTS = 5;

export default function createTarget(): Target {
  const files = new Map<string, TargetFile>();
  const ended = new Map<string, TargetResult>();
  const ending = new AbortController();
  let config: TargetConfig;
  let card: ModelCard;
  let url = '';
  let line = '';
  let binary = false;
  let tell: (event: TargetEvent) => void;

  async function ask(path: string): Promise<unknown> {
    const reply = await exchange(url, path, { ...SMALL, signal: config.signal });
    if (reply.status !== 200)
      throw new Error(`GET ${publicUrl(url)}${path}: status ${reply.status}: ${wordsOf(reply)}`);
    return reply.body.length > 0 ? parseJson(reply.body) : null;
  }

  /** One tile's logits. @throws what the last attempt threw */
  async function infer(input: Float32Array, width: number, height: number): Promise<Float32Array> {
    const shape = { count: 1, width, height };
    const request = encodeRequest(card, input, shape, binary);
    const limits = { timeoutMs: REPLY_WITHIN_MS, limitBytes: replyLimit(shape), signal: ending.signal };
    for (let attempt = 1; ; attempt++)
      try {
        const reply = await exchange(line, `${modelPath(card.name)}/infer`, { ...request, ...limits, method: 'POST' });
        if (reply.status !== 200) throw new Error(`status ${reply.status}: ${wordsOf(reply)}`);
        return decodeReply(reply, card, shape);
      } catch (error) {
        if (!(error instanceof ExchangeError) || attempt === ATTEMPTS) throw error;
        await sleep(100 * attempt, undefined, { signal: ending.signal });
      }
  }

  async function segment({ path }: TargetFile): Promise<void> {
    const image = await decodeGray(path, { channel: null, page: 0, maxPixels: MOST_PIXELS });
    const scale = scaleOf(image.data);
    for (const { window } of planTiles(image.width, image.height, card.input.multipleOf)) {
      const input = new Float32Array(window.width * window.height);
      normaliseWindow(image, scale, window, input);
      const logits = await infer(input, window.width, window.height);
      if (!logits.every(Number.isFinite)) throw new Error('the reply holds what is no number');
    }
  }

  async function work(queue: string[]): Promise<void> {
    for (let imageId = queue.shift(); imageId !== undefined && !ending.signal.aborted; imageId = queue.shift()) {
      tell({ imageId, status: 'processing' });
      const began = performance.now();
      try {
        await segment(files.get(imageId)!);
        const stages = { request: performance.now() - began };
        ended.set(imageId, { imageId, status: 'completed', result: true, stages });
        tell({ imageId, status: 'completed' });
      } catch (error) {
        if (ending.signal.aborted) return;
        config.log(`${imageId}: ${String(error)}`);
        ended.set(imageId, { imageId, status: 'failed', result: false });
        tell({ imageId, status: 'failed', code: error instanceof Error ? error.name : 'UNKNOWN' });
      }
    }
  }

  return {
    async open(given) {
      config = given;
      url = process.env['KSERVE_URL'] ?? '';
      if (!URL.canParse(url)) throw new Error(`KSERVE_URL is "${url}", expected the server's URL`);
      card = await readCard(process.env['KSERVE_CARD'] ?? CARD);
      const server = (await ask('/v2')) as { name?: string; version?: string } | null;
      // As the service does it: ready, of the card's shape, and binary where a trial shows that it is read, whether it is listed or not.
      const probe = createProbe({ card, timeoutMs: SMALL.timeoutMs, trialTimeoutMs: REPLY_WITHIN_MS });
      const found = await probe(url, null, config.signal);
      if (found.kind !== 'ready') throw new Error(found.reason);
      binary = found.binary;
      const version = server?.version ? { version: server.version } : {};
      return { name: server?.name ?? 'inference server', address: publicUrl(url), ...version };
    },
    upload(sent) {
      for (const file of sent) files.set(file.name, file);
      return Promise.resolve(sent.map(({ name }) => ({ name, imageId: name })));
    },
    start(imageIds) {
      const queue = [...imageIds];
      const lanes = Number(process.env['KSERVE_CONCURRENCY'] ?? 4);
      for (let lane = 0; lane < lanes; lane++) void work(queue);
      return Promise.resolve();
    },
    async results(imageIds) {
      // What is known here is known here; whether the server is still there is not.
      await ask(`${modelPath(card.name)}/ready`);
      return imageIds.map((imageId) => ended.get(imageId) ?? { imageId, status: 'processing', result: false });
    },
    async events(handler) {
      tell = handler;
      line = await config.through(url);
    },
    close() {
      ending.abort();
      return Promise.resolve();
    },
  };
}
