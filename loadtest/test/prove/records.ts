import type { AskRecord, EventRecord, ProofRecord, RunRecord } from '../../src/prove/records.ts';

const START_MS = Date.parse('2026-11-28T12:00:00Z');

/** Ledgers for tests: `images` images that go through as they should, 10 ms apart, unless `change` says otherwise. */
export function recordsOf(
  images: number,
  change: (records: ProofRecord[]) => ProofRecord[] = (records) => records,
  run: Partial<RunRecord> = {},
): ProofRecord[] {
  const names = Array.from({ length: images }, (_, at) => `cells-${at}.png`);
  const id = (at: number) => `id-${at}`;
  const records: ProofRecord[] = [
    {
      type: 'run',
      version: 1,
      tool: '0.1.0',
      scenario: 'prove',
      target: { name: 'theirs', address: 'http://there', adapter: './a.ts', workers: 2 },
      startedAt: new Date(START_MS).toISOString(),
      images,
      seed: 1,
      fault: 'cut',
      lateMs: 5000,
      ...run,
    },
    ...names.map((name): ProofRecord => ({ type: 'image', name, sha256: '00', sizeBytes: 10 })),
    ...names.map((name, at): ProofRecord => ({
      type: 'upload',
      name,
      imageId: id(at),
      fromMs: START_MS + at,
      toMs: START_MS + at + 5,
    })),
    { type: 'start', images, fromMs: START_MS + 1000, toMs: START_MS + 1010 },
    ...names.flatMap((_, at): ProofRecord[] => [
      eventOf(at, 'processing', 2 * at + 1),
      eventOf(at, 'completed', 2 * at + 2),
    ]),
    { type: 'fault', fault: 'cut', atMs: START_MS + 1500, connections: 1, told: Math.ceil(images * 0.4) },
    ...names.map((_, at): ProofRecord => askOf(at, 'completed')),
  ];
  return ended(change(records));
}

/** What the n-th image's event is; work begins 10 ms after that of the one before, and takes 20. */
export const eventOf = (at: number, status: EventRecord['status'], sequence?: number, afterMs = 0): EventRecord => ({
  type: 'event',
  imageId: `id-${at}`,
  status,
  connection: 1,
  atMs: START_MS + 1100 + 10 * at + (status === 'processing' ? 0 : 20) + afterMs,
  ...(sequence === undefined ? {} : { sequence }),
});
export const askOf = (at: number, status: AskRecord['status'], given: Partial<AskRecord> = {}): AskRecord => ({
  type: 'ask',
  imageId: `id-${at}`,
  status,
  result: status === 'completed',
  atMs: START_MS + 60_000,
  final: true,
  ...given,
});

export const isEndOf =
  (at: number) =>
  (record: ProofRecord): boolean =>
    record.type === 'event' && record.imageId === `id-${at}` && record.status === 'completed';

/** The same records with a last line that counts them. */
export function ended(records: readonly ProofRecord[]): ProofRecord[] {
  const rest = records.filter(({ type }) => type !== 'end');
  return [...rest, { type: 'end', finishedAt: new Date(START_MS + 61_000).toISOString(), records: rest.length }];
}
