import { describe, expect, it } from 'vitest';
import type { Failures as FailuresReply } from '#contract/batches.ts';
import { createApi } from '../../src/models/api.ts';
import { createFailures } from '../../src/models/Failures.ts';
import { nowBatch } from '../../../loadtest/src/stand-in/replies.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const counts = (failed: number) => ({ queued: 0, processing: 0, completed: 10 - failed, failed, cancelled: 0 });
const groupOf = (code: 'TIMEOUT' | 'CRASHED', count: number): FailuresReply['groups'][number] => ({
  code,
  retryable: true,
  count,
  first: '2026-01-01T00:00:00Z',
  last: '2026-01-01T00:00:00Z',
  sampleImageIds: [],
  sampleMessage: 'took too long',
});

function setUp(options: { refuse?: boolean } = {}) {
  const asked: string[] = [];
  const groups = new Map<string, FailuresReply['groups']>();
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
      return Response.json({ batchId: id, total: found.reduce((sum, { count }) => sum + count, 0), groups: found });
    },
  });
  const time = { ms: 0 };
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const open = () => createFailures({ api, clock: { now: () => time.ms }, storage });
  return { failures: open(), open, asked, groups, time, kept };
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

  it('knows in a page opened anew what was asked for already', async () => {
    const { failures, open, groups, kept } = setUp();
    const one = nowBatch(1, { counts: counts(3) });
    groups.set(one.id, [groupOf('TIMEOUT', 3)]);
    failures.update([one]);
    await settled();
    await failures.retry(failures.groups.value[0]!.rows[0]!);
    const again = open();
    again.update([one, nowBatch(50, { retryOf: one.id })]);
    await settled();
    expect(again.groups.value[0]).toMatchObject({ count: 0, rows: [{ retry: { id: nowBatch(50).id } }] });
    for (const text of ['{', '7', '[[1, 2]]']) {
      kept.set('segbench.retries', text);
      const other = open();
      other.update([one]);
      await settled();
      expect(other.groups.value[0]!.rows[0]!.retry).toBeNull();
    }
  });

  it('knows a retry that somebody else started, once it tries all that failed', async () => {
    const { failures, groups } = setUp();
    const one = nowBatch(1, { counts: counts(3) });
    groups.set(one.id, [groupOf('TIMEOUT', 2), groupOf('CRASHED', 1)]);
    failures.update([one, nowBatch(50, { retryOf: one.id, total: 2 })]);
    await settled();
    expect(failures.total.value).toBe(3);
    const all = nowBatch(51, { retryOf: one.id, total: 3 });
    failures.update([one, all]);
    expect(failures.total.value).toBe(0);
    expect(failures.groups.value.map(({ rows }) => rows[0]!.retry?.id)).toEqual([all.id, all.id]);
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
