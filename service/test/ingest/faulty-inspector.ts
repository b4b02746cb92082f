import { readFileSync } from 'node:fs';
import { serve } from '../../src/ingest/inspect-child.ts';

const held: Buffer[] = [];
const FACTS = { mimeType: 'image/png', width: 1, height: 1, channels: 1, pages: 1, averageColour: 0 };

/** What it does stands in the file that it is given: a decoder that hangs, dies, takes memory or CPU time without end. */
serve(async (file) => {
  const what = readFileSync(file, 'utf8');
  if (what === 'hang') await new Promise(() => {});
  if (what === 'die') process.kill(process.pid, 'SIGSEGV');
  if (what === 'burn') for (;;);
  // Outside of V8's heap, as pixels are, and touched: what is only reserved costs nothing.
  if (what === 'eat') for (;;) held.push(Buffer.alloc(64 * 1024 * 1024, 1));
  if (what === 'environment') throw new Error(JSON.stringify(Object.keys(process.env)));
  if (what === 'limits') throw new Error(readFileSync('/proc/self/limits', 'utf8').replaceAll('\n', ' '));
  return FACTS;
});
