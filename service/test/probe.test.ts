import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createProbe } from '../src/probe.ts';

it('asks once for all who scrape, and again when the answer is old', async () => {
  let clock = 0;
  let asked = 0;
  const probe = createProbe(async () => ++asked, { keptMs: 100, now: () => clock });
  expect(await Promise.all([probe(), probe(), probe()])).toEqual([1, 1, 1]);
  clock = 99;
  expect(await probe()).toBe(1);
  clock = 100;
  expect(await probe()).toBe(2);
});

it('has nothing while it fails, and asks again', async () => {
  let fails = true;
  const probe = createProbe(async () => {
    if (fails) throw new Error('away');
    return 'here';
  });
  expect(await probe()).toBeNull();
  fails = false;
  expect(await probe()).toBe('here');
});

it('waits no longer than its time, and never asks a second time beside one that hangs', async () => {
  const hung = Promise.withResolvers<number>();
  let asked = 0;
  const probe = createProbe(() => (asked++, hung.promise), { timeoutMs: 10 });
  expect(await probe()).toBeNull();
  expect(await probe()).toBeNull();
  expect(asked).toBe(1);
  hung.resolve(7);
  await sleep(1);
  expect(await probe()).toBe(7);
});
