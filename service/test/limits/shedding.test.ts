import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createShedding, type LoadClass } from '../../src/limits/shedding.ts';

const start = (given: Partial<Parameters<typeof createShedding>[0]> = {}) => {
  let at = 0;
  const shedding = createShedding({ maxOpen: 50, maxUploads: 3, targetMs: 20, now: () => at, ...given });
  return {
    ...shedding,
    /** Fills up to what is let in, and says how many that were. */
    fill(kind: LoadClass) {
      let count = 0;
      while (shedding.admit(kind) === null && ++count < 10_000);
      return count;
    },
    release(kind: LoadClass, count: number) {
      for (let i = 0; i < count; i++) {
        shedding.worked(kind);
        shedding.ended(kind);
      }
    },
    /** A window with turns of this length. */
    window(ms: number, starved = false) {
      shedding.turn(ms, starved);
      at += 100;
      shedding.admit('exempt');
    },
  };
};

describe('admission', () => {
  it('takes on as much as it may while the event loop turns quickly', () => {
    const one = start();
    expect(one.fill('normal')).toBe(50);
    expect(one.admit('normal')).toBe('open');
    one.release('normal', 1);
    expect(one.admit('normal')).toBeNull();
  });

  it('never refuses who looks after it, and gives uploads a bound of their own', () => {
    const one = start();
    one.fill('normal');
    expect(one.fill('upload')).toBe(3);
    expect(one.admit('upload')).toBe('uploads');
    for (let i = 0; i < 1000; i++) expect(one.admit('exempt')).toBeNull();
    one.release('upload', 1);
    expect(one.admit('upload')).toBeNull();
  });

  it('takes on less when the event loop is slow, down to 32, and more again when it is quick', () => {
    const one = start();
    one.fill('normal');
    one.window(21);
    expect(one.state.limit).toBe(40);
    one.release('normal', 50);
    for (let i = 0; i < 30; i++) one.window(500);
    expect(one.state.limit).toBe(32);
    expect(one.fill('normal')).toBe(32);
    expect(one.admit('normal')).toBe('busy');
    one.release('normal', 32);
    for (let i = 0; i < 100; i++) one.window(2);
    expect(one.state.limit).toBe(50);
  });

  it('goes below 32 only while a crowd stays that it has refused for a second, and then down to 8', () => {
    const one = start({ maxOpen: 10_000 });
    for (let i = 0; i < 9; i++) {
      one.fill('normal');
      one.window(500);
    }
    expect(one.state.limit).toBe(32);
    one.fill('normal');
    one.window(500);
    expect(one.state.limit).toBe(8);
    // nobody was refused in this window
    one.release('normal', one.state.working);
    one.window(500);
    expect(one.state.limit).toBe(32);
  });

  it('begins from what was in work, not from what might have been', () => {
    const one = start({ maxOpen: 10_000 });
    for (let i = 0; i < 40; i++) one.admit('normal');
    one.window(100);
    // five times the target: a fifth, but never less than 32
    expect(one.state.limit).toBe(32);
    const other = start({ maxOpen: 10_000 });
    for (let i = 0; i < 60; i++) other.admit('normal');
    other.window(30);
    expect(other.state.limit).toBe(40);
  });

  it('lets the bound follow what is in work, and 64 come after a quiet time', () => {
    const one = start({ maxOpen: 10_000 });
    for (let i = 0; i < 200; i++) one.window(1);
    expect(one.state.limit).toBe(64);
    expect(one.fill('normal')).toBe(64);
    for (let i = 0; i < 50; i++) one.window(1);
    expect(one.state.limit).toBe(128);
    one.release('normal', 64);
    for (let i = 0; i < 5; i++) one.window(1);
    expect(one.state.limit).toBe(64);
  });

  it('takes queries that wait for a connection for a queue', () => {
    const one = start();
    one.fill('normal');
    one.window(1, true);
    expect(one.state.limit).toBe(40);
  });

  it('lets pictures and single results give way to the rest', () => {
    const one = start({ maxOpen: 10_000 });
    expect(one.fill('low')).toBe(32);
    expect(one.admit('low')).toBe('busy');
    expect(one.fill('normal')).toBe(32);
  });

  it('counts a stream as open only', () => {
    const one = start();
    expect(one.fill('stream')).toBe(50);
    expect(one.state.working).toBe(0);
    one.release('stream', 50);
    expect(one.state).toMatchObject({ working: 0, open: 0 });
  });

  it('counts a slow reader as open, and no longer as work', () => {
    const one = start({ maxOpen: 10_000 });
    expect(one.fill('low')).toBe(32);
    for (let i = 0; i < 32; i++) one.worked('low');
    expect(one.admit('low')).toBeNull();
    expect(one.state).toMatchObject({ working: 1, open: 33 });
  });

  it('keeps its counts whatever comes', () => {
    const kinds = ['exempt', 'upload', 'stream', 'low', 'normal'] as const;
    const step = fc.record({ kind: fc.constantFrom(...kinds), ms: fc.nat(100), end: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const one = start({ maxOpen: 20 });
        const held: LoadClass[] = [];
        for (const { kind, ms, end } of steps) {
          if (one.admit(kind) === null) held.push(kind);
          if (end && held.length > 0) one.release(held.shift()!, 1);
          one.window(ms);
          expect(one.state.open).toBe(held.filter((name) => name !== 'exempt' && name !== 'upload').length);
          expect(one.state.open).toBeLessThanOrEqual(20);
          expect(one.state.uploads).toBeLessThanOrEqual(3);
          expect(one.state.limit).toBeGreaterThanOrEqual(8);
        }
        for (const kind of held) one.release(kind, 1);
        expect(one.state).toMatchObject({ working: 0, open: 0, uploads: 0 });
      }),
    );
  });
});
