import { serveTasks } from '../children/serve.ts';
import { prepareSharp } from '../inference/decode.ts';
import { draw, failureOf, type Drawing, type DrawFailure } from './draw.ts';

export type DrawReply = { bytes: Uint8Array } | { failure: DrawFailure; message: string };

export function serve(drawOne: (drawing: Drawing) => Promise<Uint8Array> = draw): void {
  prepareSharp();
  serveTasks<Drawing, DrawReply>((drawing) =>
    drawOne(drawing).then(
      (bytes) => ({ bytes }),
      (error: unknown) => ({
        failure: failureOf(error),
        message: error instanceof Error ? error.message : String(error),
      }),
    ),
  );
}
if (import.meta.main) serve();
