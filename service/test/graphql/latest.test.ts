import { describe, expect, it } from 'vitest';
import { createLatest } from '../../src/graphql/latest.ts';

const opened = () => {
  let left = 0;
  const latest = createLatest<number>(() => left++);
  return { latest, left: () => left };
};

describe('createLatest', () => {
  it('gives a slow reader the latest value, and never an old one', async () => {
    const { latest, left } = opened();
    for (const value of [1, 2, 3]) latest.push(value);
    expect(await latest.next()).toEqual({ value: 3, done: false });
    const waiting = latest.next();
    latest.push(4);
    latest.push(5);
    expect([await waiting, await latest.next()].map(({ value }) => value as number)).toEqual([4, 5]);
    expect(left()).toBe(0);
  });

  it('ends after the last value, and says so once', async () => {
    const { latest, left } = opened();
    latest.push(1);
    latest.end();
    latest.push(2);
    expect(await latest.next()).toEqual({ value: 1, done: false });
    expect(await latest.next()).toEqual({ value: undefined, done: true });
    expect(await latest.next()).toEqual({ value: undefined, done: true });
    expect(left()).toBe(1);
  });

  it('ends who waits at once when it is returned, as an async generator does not', async () => {
    const { latest, left } = opened();
    const waiting = latest.next();
    expect(await latest.return!()).toEqual({ value: undefined, done: true });
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(left()).toBe(1);
    latest.push(1);
    expect((await latest.next()).done).toBe(true);
  });

  it('fails after the last value, once', async () => {
    const { latest, left } = opened();
    latest.push(1);
    latest.fail(new Error('gone'));
    expect((await latest.next()).value).toBe(1);
    await expect(latest.next()).rejects.toThrow('gone');
    expect((await latest.next()).done).toBe(true);
    expect(left()).toBe(1);
  });
});
