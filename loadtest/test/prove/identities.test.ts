import { describe, expect, it } from 'vitest';
import { contradictionsOf } from '../../src/judge/verdict.ts';
import { holds } from '../../src/measure/identities.ts';
import { identitiesOfProof } from '../../src/prove/identities.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import { provenBy } from '../../src/prove/proven.ts';
import { BUILT_IN, type ProofRecord } from '../../src/prove/records.ts';
import { runData } from '../judge/run-data.ts';
import { recordsOf } from './records.ts';

const IMAGES = 300;
const EVERY_MS = 250;

/** What the harness counts on the way, `more` too many; a target whose own clock is `aheadMs` of ours. */
function ledger({ more = 0, aheadMs = 0, adapter = './theirs.ts' } = {}) {
  const counted = (records: ProofRecord[]): ProofRecord[] => {
    const start = records.find((record) => record.type === 'start')!;
    const ends = records.flatMap((record) =>
      record.type === 'event' && record.status === 'completed' ? [[record.imageId, record.atMs] as const] : [],
    );
    const endedAt = new Map(ends);
    const lastMs = Math.max(...endedAt.values());
    const counts: ProofRecord[] = [];
    for (let atMs = start.fromMs + EVERY_MS; atMs < lastMs; atMs += EVERY_MS)
      counts.push({ type: 'count', atMs, open: ends.filter(([, end]) => end > atMs).length + more });
    return [...records, ...counts].map((record) =>
      record.type === 'ask' ? { ...record, endedAt: endedAt.get(record.imageId)! - 50 + aheadMs } : record,
    );
  };
  const target = { name: 'theirs', address: 'http://there', adapter };
  return ledgerOf(recordsOf(IMAGES, counted, { target }));
}
const broken = (given: Parameters<typeof ledger>[0]) =>
  identitiesOfProof(ledger(given))
    .filter((one) => !holds(one))
    .map(({ name }) => name);

describe('what must agree of a proof', () => {
  it('is how many images were in flight, of any service, and of ours its clock', () => {
    expect(identitiesOfProof(ledger()).map(({ name }) => name)).toEqual(['Little’s law']);
    const ours = identitiesOfProof(ledger({ adapter: BUILT_IN }));
    expect(ours.map(({ name }) => name)).toEqual(['Little’s law', 'database’s clock']);
    expect(ours.every(holds)).toBe(true);
  });

  it('is broken by a count that is off, and by a clock that is ahead', () => {
    expect(broken({ more: 60 })).toEqual(['Little’s law']);
    expect(broken({ aheadMs: 200, adapter: BUILT_IN })).toEqual(['database’s clock']);
    // Theirs may be on another machine; nothing that is judged is made of it.
    expect(broken({ aheadMs: 200 })).toEqual([]);
  });

  it('makes the run inconclusive, and is found again from the raw records', () => {
    const { identities } = provenBy(ledger({ more: 60 }));
    expect(contradictionsOf(runData({ identities }))).toEqual([
      expect.stringMatching(/^Little’s law: [\d.,]+ and [\d.,]+ differ by more than [\d.,]+ \(images in flight/),
    ]);
  });

  it('is nothing of a batch that was over at once, or that nobody was told of', () => {
    expect(identitiesOfProof(ledgerOf(recordsOf(20)))).toEqual([]);
    expect(identitiesOfProof(ledgerOf(recordsOf(0)))).toEqual([]);
  });
});
