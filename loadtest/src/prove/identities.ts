import { delaysOf } from '../measure/batch-identities.ts';
import { countedLaw, toldAfterEnd, type Identity } from '../measure/identities.ts';
import { staysOf } from '../measure/littles-law.ts';
import type { ProofLedger } from './ledger.ts';
import { BUILT_IN } from './records.ts';

/**
 * What must agree of what was seen from outside. The stages that a service tells of are its own words, and need not be all of an image's
 * time; its clock may be another machine's, and no figure is made of it that is judged. Pure.
 */
export function identitiesOfProof({ rows, start, counts, run }: ProofLedger): Identity[] {
  const submitted = rows.filter(({ imageId }) => imageId !== null);
  const told = submitted.flatMap(({ ends }) => ends[0]?.atMs ?? []);
  if (start === undefined || told.length === 0) return [];
  const lastMs = told.reduce((last, ms) => Math.max(last, ms), -Infinity);
  const stays = staysOf(submitted.map(({ ends }) => ({ queuedMs: start.fromMs, endedMs: ends[0]?.atMs ?? lastMs })));
  const counted = counts.map(({ atMs, open }) => ({ atMs, left: open }));
  const what = 'images in flight as counted on the way; by rate and stay of their events';
  const endedAt = submitted.flatMap(({ imageId, final }): [string, number][] =>
    final?.endedAt === undefined ? [] : [[imageId!, final.endedAt]],
  );
  const toldAt = new Map(submitted.map(({ imageId, ends }) => [imageId!, ends[0]?.atMs]));
  const isOurs = run.target.adapter === BUILT_IN;
  return [
    countedLaw(stays, counted, what),
    isOurs ? toldAfterEnd(delaysOf(new Map(endedAt), (id) => toldAt.get(id))) : null,
  ].filter((one) => one !== null);
}
