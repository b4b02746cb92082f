/** Keeps and drops memory as it is told: half of it objects, half of it buffers. */
const kept: unknown[] = [];
const WORD = 8;

function make(bytes: number): unknown[] {
  const half = bytes / 2;
  return [Array.from({ length: half / WORD }, () => 0.5), Buffer.alloc(half)];
}

process.on('message', (told: { kept: number; dropped: number }) => {
  kept.push(make(told.kept));
  process.send!(make(told.dropped).length);
});
process.send!('ready');
