import { serve } from '../../src/pictures/child.ts';

/** Width 1 blocks for ever, width 2 dies, width 4 is still drawn when all others have ended; every other is answered with its own digits. */
serve(async (drawing) => {
  const width = ('width' in drawing ? drawing.width : undefined) ?? 0;
  if (width === 1) for (;;);
  if (width === 2) process.kill(process.pid, 'SIGKILL');
  if (width === 4) await new Promise(() => setInterval(() => {}, 1000));
  return Buffer.from(String(width));
});
