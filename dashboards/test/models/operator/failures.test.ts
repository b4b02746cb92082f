import { describe, expect, it } from 'vitest';
import type { Failures as FailuresReply } from '#contract/batches.ts';
import { createApi } from '../../../src/models/api.ts';
import { createFailures } from '../../../src/models/operator/Failures.ts';
import { nowBatch } from '../../../../loadtest/src/stand-in/replies.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const counts = (failed: number) => ({ queued: 0, processing: 0, completed: 10 - failed, failed, cancelled: 0 });
const groupOf = (
  code: 'TIMEOUT' | 'CRASHED',
  count: number,
  change: Partial<FailuresReply['groups'][number]> = {},
): FailuresReply['groups'][number] => ({
  code,
  retryable: true,
  count,
  first: '2026-01-01T00:00:00Z',
  last: '2026-01-01T00:00:00Z',
  sampleImageIds: [],
  sampleMessage: 'took too long',
  retryId: null,
  ...change,
});

function setUp(options: { refuse?: boolean } = {}) {
  const asked: string[] = [];
  const groups = new Map<string, FailuresReply['groups']>();
  /** What answers of failures wait for. */
  const line = { held: Promise.resolve() };
  const api = createApi({
    onSignedOut: () => {},
    fetch: async (url, init) => {
      asked.push(`${init?.method} ${url} ${typeof init?.body === 'string' ? init.body : ''}`.trim());
      const id = url.split('/')[3]!;
      if (url.endsWith('/retry'))
        return options.refuse
          ? Response.json({ code: 'FORBIDDEN', message: 'key a lacks write' }, { status: 403 })
          : Response.json(nowBatch(50, { retryOf: id, total: 3 }), { status: 202 });
      const found = groups.get(id) ?? [];
      await line.held;
      return Response.json({ batchId: id, total: found.reduce((sum, { count }) => sum + count, 0), groups: found });
    },
  });
  const time = { ms: 0 };
  return { failures: createFailures({ api, clock: { now: () => time.ms } }), asked, groups, line, time };
}

describe('createFailures', () => {
  it('asks once for each count, and groups what it is told by code, the most frequent first', async () => {
    const { failures, asked, groups, time } = setUp();
    const [one, two] = [nowBatch(1, { counts: counts(3) }), nowBatch(2, { counts: counts(4) })];
    groups.set(one.id, [groupOf('TIMEOUT', 2), groupOf('CRASHED', 1)]);
    groups.set(two.id, [groupOf('CRASHED', 4)]);
    for (let reading = 0; reading < 5; reading++) {
      failures.update([one, two, nowBatch(3)]);
      await settled();
    }
    expect(asked).toHaveLength(2);
    expect(
      failures.groups.value.map(({ code, count, rows }) => [code, count, rows.map(({ batch }) => batch.id)]),
    ).toEqual([
      ['CRASHED', 5, [two.id, one.id]],
      ['TIMEOUT', 2, [one.id]],
    ]);
    expect(failures.total.value).toBe(7);
    const more = [{ ...one, counts: counts(4) }, two];
    failures.update(more);
    await settled();
    expect(asked).toHaveLength(2);
    time.ms = 3000;
    failures.update(more);
    await settled();
    expect(asked).toHaveLength(3);
  });

  it('forgets batches that are listed no more, and asks for the newest twelve only', async () => {
    const { failures, asked, groups } = setUp();
    const many = Array.from({ length: 20 }, (_, i) => nowBatch(i + 1, { counts: counts(1) }));
    for (const { id } of many) groups.set(id, [groupOf('TIMEOUT', 1)]);
    failures.update(many);
    await settled();
    expect(asked).toHaveLength(12);
    expect(failures.groups.value[0]!.rows.map(({ batch }) => batch.id)).toEqual(
      many
        .slice(8)
        .toReversed()
        .map(({ id }) => id),
    );
    failures.update([]);
    expect(failures.groups.value).toEqual([]);
  });

  it('retries the images of one code, and follows the new batch', async () => {
    const { failures, asked, groups } = setUp();
    const one = nowBatch(1, { counts: counts(3) });
    groups.set(one.id, [groupOf('TIMEOUT', 3)]);
    failures.update([one]);
    await settled();
    await failures.retry(failures.groups.value[0]!.rows[0]!);
    expect(asked.at(-1)).toBe(`POST /api/batches/${one.id}/retry {"only":"failed","code":"TIMEOUT"}`);
    expect(failures.groups.value[0]!.rows[0]!.retry).toMatchObject({ retryOf: one.id, total: 3 });
    const again = nowBatch(50, { total: 3, counts: { ...counts(0), completed: 2, failed: 1 } });
    groups.set(again.id, [groupOf('TIMEOUT', 1)]);
    failures.update([one, again]);
    await settled();
    const [first, second] = failures.groups.value[0]!.rows;
    expect(first).toMatchObject({ batch: { id: again.id }, count: 1, retry: null });
    expect(second!.retry).toMatchObject({ counts: { completed: 2, failed: 1 } });
  });

  it('shows a retry from its start on, whatever older answers say', async () => {
    const { failures, asked, groups, line, time } = setUp();
    const one = nowBatch(1, { counts: counts(2) });
    groups.set(one.id, [groupOf('TIMEOUT', 2)]);
    failures.update([one]);
    await settled();
    const more = { ...one, counts: counts(3) };
    groups.set(one.id, [groupOf('TIMEOUT', 3)]);
    const answer = Promise.withResolvers<void>();
    line.held = answer.promise;
    time.ms = 3000;
    failures.update([more]);
    const retry = await failures.retry(failures.groups.value[0]!.rows[0]!);
    const shown = () => failures.groups.value[0]!.rows.map((row) => [row.retryId, row.retry?.id]);
    expect(shown()).toEqual([[retry, retry]]);
    // both were asked for before
    failures.update([more]);
    answer.resolve();
    await settled();
    expect(shown()).toEqual([[retry, retry]]);
    // the next reading knows: a batch that it has no more is not shown
    failures.update([more]);
    expect(shown()).toEqual([[retry, undefined]]);
    // and the answer that was not taken is asked for again
    groups.set(one.id, [groupOf('TIMEOUT', 3, { retryId: retry })]);
    time.ms = 6000;
    failures.update([more]);
    await settled();
    expect(failures.groups.value[0]!.rows[0]).toMatchObject({ count: 3, retryId: retry });
    expect(asked.filter((each) => each.startsWith('GET'))).toHaveLength(3);
  });

  it('takes a retry whose batch went out of the list meanwhile for no error', async () => {
    const { failures, groups } = setUp();
    const one = nowBatch(1, { counts: counts(1) });
    groups.set(one.id, [groupOf('TIMEOUT', 1)]);
    failures.update([one]);
    await settled();
    const asking = failures.retry(failures.groups.value[0]!.rows[0]!);
    failures.update([]);
    expect(await asking).toBe(nowBatch(50).id);
    expect([failures.errors.value.size, failures.groups.value]).toEqual([0, []]);
  });

  it('knows what another browser asked for, from the reading and what the service says of its failures', async () => {
    const { failures, asked, groups, time } = setUp();
    const one = nowBatch(1, { counts: counts(3) });
    groups.set(one.id, [groupOf('TIMEOUT', 2), groupOf('CRASHED', 1)]);
    failures.update([one]);
    await settled();
    expect(failures.total.value).toBe(3);
    const retry = nowBatch(50, { retryOf: one.id, total: 2 });
    groups.set(one.id, [groupOf('TIMEOUT', 2, { retryId: retry.id }), groupOf('CRASHED', 1)]);
    for (let reading = 1; reading <= 10; reading++) {
      time.ms = reading * 1000;
      failures.update([one, retry]);
      await settled();
    }
    expect(asked).toHaveLength(2);
    expect(failures.total.value).toBe(1);
    const rows = failures.groups.value.flatMap((group) => group.rows);
    expect(rows.map(({ code, retry: of }) => [code, of?.id ?? null])).toEqual([
      ['CRASHED', null],
      ['TIMEOUT', retry.id],
    ]);
    // of a retry that is listed no more it is still known that there was one
    failures.update([one]);
    expect(failures.total.value).toBe(1);
  });

  it('says why a retry was refused, at its row', async () => {
    const { failures, groups } = setUp({ refuse: true });
    const one = nowBatch(1, { counts: counts(1) });
    groups.set(one.id, [groupOf('TIMEOUT', 1)]);
    failures.update([one]);
    await settled();
    const [row] = failures.groups.value[0]!.rows;
    await failures.retry(row!);
    expect(failures.errors.value.get(row!.key)).toBe('key a lacks write');
    expect([failures.busy.value, failures.groups.value[0]!.rows[0]!.retry]).toEqual([null, null]);
  });
});
