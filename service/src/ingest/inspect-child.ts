import { serveTasks } from '../children/serve.ts';
import { inspectImage } from './inspect.ts';
import type { ImageFacts, Refusal } from './refusal.ts';

export interface InspectTask {
  file: string;
  maxPixels: number;
}
/** `failed`: nothing was found out about the image, because its file cannot be read; `errno` is the system's code. */
export type InspectReply = ImageFacts | Refusal | { failed: string; errno: string };

export function serve(inspect: typeof inspectImage = inspectImage): void {
  serveTasks<InspectTask, InspectReply>(({ file, maxPixels }) =>
    inspect(file, maxPixels).catch((error: unknown): InspectReply => {
      const message = error instanceof Error ? error.message : String(error);
      const { code = '' } = error as NodeJS.ErrnoException;
      // What is no error of the system is one that the bytes led to.
      return /^E(?!RR_)[A-Z]+$/.test(code)
        ? { failed: message, errno: code }
        : { code: 'INVALID_IMAGE', message: `cannot be decoded: ${message.split('\n')[0]}` };
    }),
  );
}
if (import.meta.main) serve();
