import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSegmenter } from '../../../src/inference/pool/child.ts';
import type { ChildOptions } from '../../../src/inference/pool/protocol.ts';
import { serve } from '../../../src/inference/pool/serve.ts';

/**
 * A child that misbehaves by request id: `crash…` dies, `hang…` blocks its thread for ever, `slow…` takes 300 ms, `steps…`
 * takes 3 s in ten steps, `once…`
 * dies the first time (a file in the folder that is the second argument remembers it). Every request leaves a line there.
 */
const options = JSON.parse(process.argv[2]!) as ChildOptions;
const folder = process.argv[3]!;

serve(async () => {
  const served = await loadSegmenter(options);
  return {
    ...served,
    async segment(requests, options) {
      for (const { id } of requests) await misbehave(id, requests.length, options.onProgress);
      return served.segment(requests, options);
    },
  };

  async function misbehave(id: string, count: number, onProgress: () => void): Promise<void> {
    writeFileSync(`${folder}/${id}.ran`, `${process.pid}\n`, { flag: 'a' });
    if (id.startsWith('crash')) process.kill(process.pid, 'SIGSEGV');
    if (id.startsWith('once') && !existsSync(`${folder}/${id}.died`)) {
      writeFileSync(`${folder}/${id}.died`, '');
      process.kill(process.pid, 'SIGKILL');
    }
    const most = id.startsWith('memory-always') ? 0 : id.startsWith('memory-over-2') ? 2 : count;
    if (count > most) throw new RangeError('Array buffer allocation failed');
    if (id.startsWith('hang')) for (;;);
    if (id.startsWith('steps'))
      for (let step = 0; step < 10; step++) {
        await sleep(300);
        onProgress();
      }
    if (id.startsWith('slow')) await sleep(300);
  }
});
