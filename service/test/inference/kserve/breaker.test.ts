import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBreaker, OUTCOMES, type Outcome } from '../../../src/inference/kserve/breaker.ts';

const OPTIONS = { failures: 3, pauseMs: 100, maxPauseMs: 1000 };
/** A breaker with a clock of its own. */
function driven() {
  const breaker = createBreaker(OPTIONS);
  let now = 0;
  return {
    wait: (ms: number) => void (now += ms),
    state: () => breaker.state(now),
    allows: () => breaker.allows(now),
    begin: () => breaker.begin(now),
    end: (ticket: number, outcome: Outcome) => breaker.end(ticket, outcome, now),
    once: (outcome: Outcome) => breaker.end(breaker.begin(now), outcome, now),
    reset: breaker.reset,
  };
}

describe('circuit breaker', () => {
  it('opens after failures in a row, and not after as many with a success among them', () => {
    const breaker = driven();
    for (const outcome of ['failed', 'failed', 'ok', 'failed', 'failed', 'refused', 'failed', 'failed'] as const)
      breaker.once(outcome);
    expect(breaker.state()).toBe('closed');
    breaker.once('failed');
    expect(breaker.state()).toBe('open');
    expect(breaker.allows()).toBe(false);
  });

  it('does not count what was dropped, neither for nor against', () => {
    const breaker = driven();
    for (const outcome of ['failed', 'failed', 'dropped', 'failed'] as const) breaker.once(outcome);
    expect(breaker.state()).toBe('open');
  });

  it('lets one trial through after the pause, and all after its success', () => {
    const breaker = driven();
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.wait(99);
    expect(breaker.allows()).toBe(false);
    breaker.wait(1);
    expect([breaker.state(), breaker.allows()]).toEqual(['half-open', true]);
    const trial = breaker.begin();
    expect([breaker.state(), breaker.allows()]).toEqual(['half-open', false]);
    breaker.end(trial, 'ok');
    expect([breaker.state(), breaker.allows()]).toEqual(['closed', true]);
    breaker.once('failed');
    expect(breaker.state()).toBe('closed');
  });

  it('closes when the trial is refused, for the server is alive', () => {
    const breaker = driven();
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.wait(100);
    breaker.once('refused');
    expect(breaker.state()).toBe('closed');
  });

  it('gives the trial to another when it was dropped', () => {
    const breaker = driven();
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.wait(100);
    breaker.once('dropped');
    expect([breaker.state(), breaker.allows()]).toEqual(['half-open', true]);
  });

  it('pauses twice as long after each trial that fails, up to the longest, and briefly again after a success', () => {
    const breaker = driven();
    for (let i = 0; i < 3; i++) breaker.once('failed');
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      let ms = 0;
      for (; !breaker.allows(); ms++) breaker.wait(1);
      pauses.push(ms);
      breaker.once('failed');
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
    breaker.wait(1000);
    breaker.once('ok');
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.wait(100);
    expect(breaker.allows()).toBe(true);
  });

  it('is not moved by what began before it opened', () => {
    const breaker = driven();
    const before = [breaker.begin(), breaker.begin(), breaker.begin()];
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.end(before[0]!, 'ok');
    expect(breaker.state()).toBe('open');
    breaker.wait(100);
    const trial = breaker.begin();
    breaker.end(before[1]!, 'failed');
    expect([breaker.state(), breaker.allows()]).toEqual(['half-open', false]);
    breaker.end(trial, 'ok');
    breaker.end(before[2]!, 'failed');
    breaker.once('failed');
    breaker.once('failed');
    expect(breaker.state()).toBe('closed');
  });

  it('is closed again when it was reset, also while a trial is under way', () => {
    const breaker = driven();
    for (let i = 0; i < 3; i++) breaker.once('failed');
    breaker.wait(100);
    const trial = breaker.begin();
    breaker.reset();
    breaker.end(trial, 'failed');
    expect([breaker.state(), breaker.allows()]).toEqual(['closed', true]);
  });

  it('never has two trials under way, is never stuck, and lets nothing through while open', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('begin' as const) }),
      fc.record({
        kind: fc.constant('end' as const),
        which: fc.nat(20),
        outcome: fc.constantFrom('failed', ...OUTCOMES),
      }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }),
    );
    let trials = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const breaker = driven();
        const running: { ticket: number; trial: boolean }[] = [];
        let wrong = false;
        for (const each of steps) {
          if (each.kind === 'wait') breaker.wait(each.ms);
          else if (each.kind === 'end') {
            const [ended] = running.splice(each.which % Math.max(1, running.length), 1);
            if (ended) breaker.end(ended.ticket, each.outcome);
          } else if (breaker.allows()) {
            const state = breaker.state();
            wrong ||= state === 'open';
            running.push({ ticket: breaker.begin(), trial: state === 'half-open' });
            if (state === 'half-open') trials++;
          }
          expect(running.filter(({ trial }) => trial).length).toBeLessThanOrEqual(1);
        }
        for (const { ticket } of running) breaker.end(ticket, 'dropped');
        breaker.wait(1000);
        expect([wrong, breaker.allows()]).toEqual([false, true]);
      }),
      { numRuns: 500 },
    );
    expect(trials).toBeGreaterThan(200);
  });
});
