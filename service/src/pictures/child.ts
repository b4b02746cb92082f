import { prepareSharp } from '../inference/decode.ts';
import { draw, failureOf, type Drawing, type DrawFailure } from './draw.ts';

export interface DrawRequest {
  id: number;
  drawing: Drawing;
}
export type DrawReply =
  { id: number; bytes: Uint8Array; cpuMs: number } | { id: number; failure: DrawFailure; message: string };

/** Draws one picture after the other for its parent, and ends with it. */
function serve(): void {
  prepareSharp();
  // `exit` would wait for what libvips draws on other threads, and nobody waits for that any more.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // Ctrl-C reaches the whole group; the parent says when it is over.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('message', ({ id, drawing }: DrawRequest) => {
    const before = process.cpuUsage();
    const answer = (reply: DrawReply) => process.send?.(reply);
    draw(drawing).then(
      (bytes) => {
        const { user, system } = process.cpuUsage(before);
        answer({ id, bytes, cpuMs: (user + system) / 1000 });
      },
      (error: unknown) =>
        answer({ id, failure: failureOf(error), message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
if (import.meta.main) serve();
