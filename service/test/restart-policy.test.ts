import { describe, expect, it } from 'vitest';
import { createRestarts, NO_RESTART, RESTART_FIVE_A_MINUTE } from '../src/restart-policy.ts';

describe('createRestarts', () => {
  it('gives up at once when no restart is allowed', () => {
    expect(createRestarts(NO_RESTART).nextDelayMs()).toBeUndefined();
  });

  it('waits longer each time and gives up after five when all fall into a minute', () => {
    const restarts = createRestarts(RESTART_FIVE_A_MINUTE, () => 0);
    const delays = Array.from({ length: 6 }, () => restarts.nextDelayMs());
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, undefined]);
  });

  it('starts counting anew when a minute has passed', () => {
    let nowMs = 0;
    const restarts = createRestarts(RESTART_FIVE_A_MINUTE, () => nowMs);
    for (let i = 0; i < 5; i += 1) restarts.nextDelayMs();
    nowMs = 60_000;
    expect(restarts.nextDelayMs()).toBe(500);
  });
});
