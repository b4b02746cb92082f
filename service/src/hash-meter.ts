import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** A stream that lets bytes through, and says afterwards how many there were and what their SHA-256 is (hex). */
export function createHashMeter() {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ sizeBytes, sha256: hash.digest('hex') }) };
}
