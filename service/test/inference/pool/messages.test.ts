import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { InferenceFailure } from '../../../src/inference/failure.ts';
import type { ChildOptions, FromChild } from '../../../src/inference/pool/protocol.ts';
import { createWorker } from '../../../src/inference/pool/worker.ts';

const modelDir = path.join(import.meta.dirname, '../../../models/nuclei/1');
const CHILD = path.join(import.meta.dirname, '../../../src/inference/pool/child.ts');

it('an image that is soon done costs one message from the child', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-messages-'));
  const file = path.join(folder, 'gray.png');
  await sharp(Buffer.alloc(64 * 64), { raw: { width: 64, height: 64, channels: 1 } })
    .png()
    .toFile(file);
  const messages: FromChild['type'][] = [];
  const ready = Promise.withResolvers<void>();
  const options: ChildOptions = { modelDir, provider: 'cpu', maxPixels: 1e6, warmupSides: [64], maxBatch: 1 };
  const worker = createWorker({
    id: 'counted',
    modelDir,
    startTimeoutMs: 60_000,
    log() {},
    onChange: () => worker.ready() && ready.resolve(),
    fork() {
      const child = fork(CHILD, [JSON.stringify(options)], { serialization: 'advanced', execArgv: [] });
      child.on('message', ({ type }: FromChild) => messages.push(type));
      return child;
    },
  });
  try {
    worker.start();
    await ready.promise;
    const asked = { file, sha256: '', width: 64, height: 64, modelDir, priority: 0, threshold: 0.5, channel: null };
    for (const id of ['first', 'second']) {
      const [result] = await worker.run([{ ...asked, id, page: 0, detectHoles: true }], 600_000);
      expect(result).not.toBeInstanceOf(InferenceFailure);
    }
    expect(messages).toEqual(['ready', 'done', 'done']);
  } finally {
    await worker.close();
    await rm(folder, { recursive: true, force: true });
  }
});
