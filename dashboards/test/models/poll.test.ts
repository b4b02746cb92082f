import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/models/api.ts';
import { createPoll } from '../../src/models/Poll.ts';
import { createFakeClock } from '../fake-clock.ts';

function pollOf(read: (signal: AbortSignal) => Promise<number>, options: { hidden?: () => boolean } = {}) {
  const { clock, advance, pending } = createFakeClock();
  const poll = createPoll({ read, everyMs: 1000, clock, hidden: options.hidden ?? (() => false) });
  return { poll, advance, pending, clock };
}

describe('createPoll', () => {
  it('reads each second, however long an answer takes below that', async () => {
    let reads = 0;
    const { poll, advance, clock } = pollOf(
      () => new Promise((resolve) => void clock.after(400, () => resolve(++reads))),
    );
    poll.start();
    await advance(10_500);
    expect(reads).toBe(11);
    poll.stop();
  });

  it('keeps the last value beside the error, with the error’s code', async () => {
    let works = true;
    const { poll, advance } = pollOf(async () => {
      if (works) return 7;
      throw new ApiError(403, 'FORBIDDEN', 'key x lacks it');
    });
    poll.start();
    await advance(100);
    works = false;
    await advance(1000);
    expect(poll.state.value).toEqual({ value: 7, at: 0, error: 'key x lacks it', code: 'FORBIDDEN' });
    works = true;
    await advance(1000);
    expect(poll.state.value).toEqual({ value: 7, at: 2000, error: null });
    poll.stop();
  });

  it('gives up on an answer that never comes, and asks again', async () => {
    const given: AbortSignal[] = [];
    const { poll, advance } = pollOf((signal) => {
      given.push(signal);
      return given.length === 1 ? new Promise(() => {}) : Promise.resolve(2);
    });
    poll.start();
    await advance(5100);
    expect([given[0]!.aborted, poll.state.value.error]).toEqual([true, 'The service did not answer within 5 s.']);
    await advance(1000);
    expect(poll.state.value).toMatchObject({ value: 2, error: null });
    poll.stop();
  });

  it('reads once more when asked while it reads, and still once a second afterwards', async () => {
    let reads = 0;
    const { poll, advance, clock, pending } = pollOf(
      () => new Promise((resolve) => void clock.after(100, () => resolve(++reads))),
    );
    poll.start();
    await advance(50);
    poll.refresh();
    poll.refresh();
    await advance(300);
    expect(reads).toBe(2);
    await advance(10_000);
    expect(reads).toBe(12);
    poll.stop();
    expect(pending()).toBe(0);
  });

  it('reads nothing while hidden, and at once when asked afterwards', async () => {
    let reads = 0;
    let hidden = true;
    const { poll, advance } = pollOf(async () => ++reads, { hidden: () => hidden });
    poll.start();
    await advance(5000);
    expect(reads).toBe(0);
    hidden = false;
    poll.refresh();
    await advance(0);
    expect(reads).toBe(1);
    poll.stop();
  });
});
