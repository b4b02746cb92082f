import { prepareSharp } from '../inference/decode.ts';
import { draw, failureOf, type Drawing, type DrawFailure } from './draw.ts';

export type DrawReply = { bytes: Uint8Array; cpuMs: number } | { failure: DrawFailure; message: string };

/** Draws one picture after the other for its parent, which sends the next when it has the one before, and ends with it. */
export function serve(drawOne: (drawing: Drawing) => Promise<Uint8Array> = draw): void {
  prepareSharp();
  // `exit` would wait for what libvips draws on other threads, and nobody waits for that any more.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // Ctrl-C reaches the whole group; the parent says when it is over.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('message', (drawing: Drawing) => {
    const before = process.cpuUsage();
    const answer = (reply: DrawReply) => process.send?.(reply);
    drawOne(drawing).then(
      (bytes) => {
        const { user, system } = process.cpuUsage(before);
        answer({ bytes, cpuMs: (user + system) / 1000 });
      },
      (error: unknown) =>
        answer({ failure: failureOf(error), message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
if (import.meta.main) serve();
