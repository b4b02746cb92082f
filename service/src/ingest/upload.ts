import type { Multipart } from '@fastify/multipart';
import type { UploadReply, Rejection } from '#contract/images.ts';
import type { Transaction } from '../database/client.ts';
import type { Services } from '../plugins/decorators.ts';
import { ApiError, apiError } from '../errors.ts';
import { createFingerprint } from './fingerprint.ts';
import type { Inspectors } from './inspectors.ts';
import { receiveFile, type Accepted, type Received } from './receive.ts';
import type { Owner } from '../tenants/owner.ts';
import type { PastSpan, Traces } from '../traces/traces.ts';
import { storeImages } from './store.ts';

export const MAX_FILES = 100;
export const FILE_FIELD = 'files';

const receiveSpan = (file: Accepted, imageId: string, parent: string): PastSpan => ({
  role: 'api',
  name: 'receive image',
  startMs: file.startedAt.getTime(),
  endMs: file.startedAt.getTime() + file.receivedMs,
  parent,
  attributes: { 'segbench.image.id': imageId, 'segbench.image.bytes': file.sizeBytes },
});

/**
 * The whole upload of one request. Parts arrive one after the other; decoding runs beside the next part's bytes.
 * Whatever happens, no temporary file outlives the request. `save` runs in the transaction that makes the images true.
 */
export async function uploadImages(
  services: Pick<Services, 'config' | 'storage' | 'metrics'> & { inspectors: Inspectors; traces: Traces | null },
  owner: Owner,
  projectId: string,
  parts: AsyncIterable<Multipart>,
  save?: (tx: Transaction, reply: UploadReply, fingerprint: Buffer) => Promise<void>,
  traceparent: string | null = null,
): Promise<UploadReply> {
  const { config, storage, metrics, inspectors, traces } = services;
  const temporaries: string[] = [];
  const pending: Promise<Received>[] = [];
  const fingerprint = createFingerprint();
  const deps = {
    storage,
    inspect: inspectors.inspect,
    maxFileBytes: config.maxFileBytes,
    maxPixels: config.maxImagePixels,
    onTemporary: (file: string) => void temporaries.push(file),
  };
  try {
    for await (const part of parts) {
      if (part.type !== 'file' || part.fieldname !== FILE_FIELD) {
        if (part.type === 'file') part.file.resume();
        throw apiError(
          'BAD_REQUEST',
          `multipart field ${JSON.stringify(part.fieldname)} is not known: expected files in ${FILE_FIELD}`,
        );
      }
      const { finish, sha256 } = await receiveFile({ filename: part.filename, file: part.file }, deps);
      fingerprint.add(part, sha256);
      const received = finish();
      // Judged below; until then a rejection must not count as unhandled.
      received.catch(() => {});
      pending.push(received);
    }
    const results = await Promise.all(pending);
    const accepted: Accepted[] = results.flatMap((result) => ('accepted' in result ? [result.accepted] : []));
    const rejected: Rejection[] = results.flatMap((result) => ('rejected' in result ? [result.rejected] : []));
    if (accepted.length === 0) {
      const reasons = rejected.slice(0, 5).map(({ name, code, message }) => `${name}: ${code}, ${message}`);
      if (reasons.length === 0)
        throw apiError(
          'NO_IMAGE_ACCEPTED',
          `the request carries no file in field ${FILE_FIELD}: expected at least one`,
        );
      throw new ApiError('NO_IMAGE_ACCEPTED', `no file was accepted: ${reasons.join('; ')}`, { rejected });
    }
    const images = await storeImages({ ...owner, storage, traceparent }, projectId, accepted, async (tx, stored) =>
      save?.(tx, { images: stored, rejected }, fingerprint.value()),
    );
    for (const file of accepted) metrics.stageDuration.observe({ stage: 'upload' }, file.receivedMs / 1000);
    if (traces !== null && traceparent !== null)
      for (const [index, file] of accepted.entries()) traces.past(receiveSpan(file, images[index]!.id, traceparent));
    return { images, rejected };
  } finally {
    await Promise.allSettled(pending);
    await Promise.all(temporaries.map((file) => storage.discard(file)));
  }
}
