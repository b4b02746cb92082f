import { describe, expect, it } from 'vitest';
import { PROOF_BUDGETS } from '../../../scenarios/budgets-proof.ts';
import { PROOF_BUDGET_NAMES } from '../../src/contract.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { judgeProof } from '../../src/prove/judge.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import type { ProofRecord } from '../../src/prove/records.ts';
import { sequenceGapsOf } from '../../src/prove/sequence.ts';
import { askOf, eventOf, isEndOf, recordsOf } from './records.ts';

const judged = (records: readonly ProofRecord[]) => judgeProof(ledgerOf(records));
const verdictsOf = (records: readonly ProofRecord[]) =>
  Object.fromEntries(
    judgeBudgets(judged(records).measurements, PROOF_BUDGETS, { imageCount: 10 }).map(({ name, verdict }) => [
      name,
      verdict,
    ]),
  );
const redOf = (records: readonly ProofRecord[]) =>
  Object.entries(verdictsOf(records)).flatMap(([name, verdict]) => (verdict === 'fail' ? [name] : []));
const notRunOf = (records: readonly ProofRecord[]) =>
  Object.entries(verdictsOf(records)).flatMap(([name, verdict]) => (verdict === 'not-run' ? [name] : []));

const replace =
  (is: (record: ProofRecord) => boolean, by: (record: ProofRecord) => ProofRecord[]) => (records: ProofRecord[]) =>
    records.flatMap((record) => (is(record) ? by(record) : [record]));
const isUploadOf = (at: number) => (record: ProofRecord) =>
  record.type === 'upload' && record.name === `cells-${at}.png`;
const isFinalOf = (at: number) => (record: ProofRecord) => record.type === 'ask' && record.imageId === `id-${at}`;

/** Nothing more is heard of image 9, the last one, so that its numbers are missed by nobody. */
const unheard = (records: ProofRecord[]) =>
  records.filter((record) => !(record.type === 'event' || record.type === 'ask') || record.imageId !== 'id-9');

describe('judgeProof', () => {
  it('judges every budget of the proof, and finds nothing where nothing is wrong', () => {
    const verdicts = verdictsOf(recordsOf(10));
    expect(Object.keys(verdicts)).toEqual([...PROOF_BUDGET_NAMES]);
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['pass']));
    expect(judged(recordsOf(10)).delivery).toMatchObject({ submitted: 10, completed: 10, missing: 0, duplicates: 0 });
  });

  it.each<[string, (records: ProofRecord[]) => ProofRecord[], string[]]>([
    ['an end that was never told', replace(isEndOf(4), () => []), ['proof_lost', 'proof_gaps']],
    ['an end that was told twice', replace(isEndOf(4), (record) => [record, record]), ['proof_twice', 'proof_gaps']],
    [
      'a file that was refused',
      (records) =>
        replace(isUploadOf(9), () => [
          { type: 'upload', name: 'cells-9.png', imageId: null, rejected: 'too small', fromMs: 1, toMs: 2 },
        ])(unheard(records)),
      ['proof_not_accepted'],
    ],
    [
      'a result that is not there',
      replace(isFinalOf(4), () => [askOf(4, 'completed', { result: false })]),
      ['proof_untrue'],
    ],
    ['an end that is not so', replace(isFinalOf(4), () => [askOf(4, 'failed')]), ['proof_untrue']],
    ['an end of what is still in work', replace(isFinalOf(4), () => [askOf(4, 'processing')]), ['proof_untrue']],
    [
      'an image that is forgotten',
      (records) => replace(isFinalOf(4), () => [askOf(4, 'unknown')])(replace(isEndOf(4), () => [])(records)),
      ['proof_not_ended', 'proof_gaps'],
    ],
    [
      'an end that comes 6 s after the target’s answer',
      (records) =>
        replace(isEndOf(4), (record) => [
          askOf(4, 'completed', { final: false, atMs: eventOf(4, 'completed', 0, -6000).atMs }),
          record,
        ])(records),
      ['proof_late'],
    ],
    [
      'ends of images of others',
      (records) => [...records, { ...eventOf(99, 'completed', 21), connection: 2 }],
      ['proof_twice'],
    ],
    [
      'two files under one id',
      (records) =>
        replace(isUploadOf(9), (record) => [{ ...record, imageId: 'id-3' } as ProofRecord])(unheard(records)),
      ['proof_not_accepted'],
    ],
  ])('is red for %s', (_, change, expected) => expect(redOf(recordsOf(10, change))).toEqual(expected));

  it('does not call late what comes 4 s after the answer', () => {
    const early = replace(isEndOf(4), (record) => [
      askOf(4, 'completed', { final: false, atMs: eventOf(4, 'completed', 0, -4000).atMs }),
      record,
    ]);
    expect(redOf(recordsOf(10, early))).toEqual([]);
  });

  it('takes a failed image for ended, and counts why', () => {
    const failed = (records: ProofRecord[]) =>
      replace(isFinalOf(4), () => [askOf(4, 'failed')])(
        replace(isEndOf(4), () => [{ ...eventOf(4, 'failed', 10), code: 'TIMEOUT' }])(records),
      );
    expect(redOf(recordsOf(10, failed))).toEqual([]);
    expect(judged(recordsOf(10, failed)).failedByCode).toEqual({ TIMEOUT: 1 });
  });

  it('has no opinion of a numbering that is not there', () => {
    const bare = (records: ProofRecord[]) =>
      records.map((record) => (record.type === 'event' ? { ...record, sequence: undefined } : record)) as ProofRecord[];
    expect(verdictsOf(JSON.parse(JSON.stringify(recordsOf(10, bare))) as ProofRecord[])['proof_gaps']).toBe('n/a');
  });

  it.each<[string, (records: ProofRecord[]) => ProofRecord[]]>([
    [
      'never came',
      replace(
        ({ type }) => type === 'fault',
        () => [],
      ),
    ],
    [
      'met nobody',
      replace(
        ({ type }) => type === 'fault',
        (record) => [{ ...record, connections: 0 } as ProofRecord],
      ),
    ],
  ])('proves nothing of what outlasts a fault when the fault %s', (_, change) => {
    const verdicts = verdictsOf(recordsOf(10, change));
    expect(['proof_lost', 'proof_twice', 'proof_late', 'proof_gaps'].map((name) => verdicts[name])).toEqual(
      Array.from({ length: 4 }, () => 'inconclusive'),
    );
    expect(verdictsOf(recordsOf(10, change, { fault: 'none' }))['proof_lost']).toBe('pass');
  });

  it('measures of a run that ended early what it saw, and nothing else', () => {
    const records = recordsOf(
      10,
      replace(isEndOf(4), (record) => [record, record]),
    );
    const cut = records.slice(0, -12);
    cut.push({
      type: 'end',
      finishedAt: '2026-11-28T12:00:09Z',
      records: cut.length,
      stopped: { reason: 'error', message: 'gone' },
    });
    expect(redOf(cut)).toContain('proof_twice');
    expect(judged(cut).delivery).toMatchObject({ completed: 10, missing: 0, duplicates: 1 });
    expect(notRunOf(cut)).toEqual(['proof_not_accepted', 'proof_not_ended', 'proof_lost', 'proof_untrue']);
  });

  it('proves nothing when lines of the ledger are missing', () => {
    const whole = recordsOf(10);
    const without = whole.filter((record) => !(record.type === 'image' && record.name === 'cells-4.png'));
    expect(new Set(Object.values(verdictsOf(without)))).not.toContain('pass');
    expect(ledgerOf(without).defects).toEqual(
      expect.arrayContaining(['the run had 10 images, 9 are there', 'the run left 53 records, 52 are there']),
    );
    expect(ledgerOf(whole.slice(0, -1)).stopped?.message).toContain('no last line');
    expect(ledgerOf([...whole.slice(0, -1), { type: 'guess' } as never, ...whole.slice(-1)]).defects).toContain(
      'a record of the type "guess" is not known',
    );
    expect(() => ledgerOf(whole.slice(1))).toThrow('does not begin with the record of its run');
  });
});

describe('sequenceGapsOf', () => {
  const numbered = (...numbers: (number | undefined)[]) =>
    sequenceGapsOf(numbers.map((sequence, at) => eventOf(at, 'queued', sequence))).gaps;

  it('lets a numbering begin anywhere', () => expect(numbered(7, 8, 9)).toEqual([]));
  it('finds skipped ones', () => expect(numbered(1, 2, 5, 6)).toEqual(['after 2 came 5']));
  it('finds what comes again', () => expect(numbered(1, 2, 2, 3)).toHaveLength(1));
  it('finds what comes out of order', () => expect(numbered(1, 3, 2, 4)).toHaveLength(2));
  it('finds events without a number among others', () =>
    expect(numbered(1, undefined, 2)).toEqual(['queued of id-1 has no number']));
  it('counts each stream by itself', () => {
    const events = [1, 1, 2, 2].map((sequence, at) => ({
      ...eventOf(at, 'queued', sequence),
      stream: at % 2 ? 'a' : 'b',
    }));
    expect(sequenceGapsOf(events)).toEqual({ numbered: true, gaps: [] });
  });
});
