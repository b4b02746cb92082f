import { describe, expect, it, vi } from 'vitest';
import { createWholeList } from '../../../src/models/gallery/WholeList.ts';

describe('what concerns the whole list', () => {
  it.each(['is wanted', 'waits'])('has it read once it %s', async (why) => {
    const whole = createWholeList();
    let wanted = false;
    void whole.wanted.then(() => (wanted = true));
    await Promise.resolve();
    expect(wanted).toBe(false);
    if (why === 'waits') whole.wait(() => {});
    else whole.want();
    await whole.wanted;
    expect(wanted).toBe(true);
  });

  it('waits until it is here, and is done once', () => {
    const whole = createWholeList();
    const act = vi.fn<() => void>();
    expect(whole.wait(act)).toBe(true);
    expect(act).not.toHaveBeenCalled();
    whole.arrived();
    whole.arrived();
    expect(act).toHaveBeenCalledOnce();
  });

  it('gives way to the latest wish, and to anything else that is done', () => {
    const whole = createWholeList();
    const [first, second] = [vi.fn<() => void>(), vi.fn<() => void>()];
    whole.wait(first);
    whole.wait(second);
    whole.arrived();
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
    const other = createWholeList();
    other.wait(first);
    other.forget();
    other.arrived();
    expect(first).not.toHaveBeenCalled();
  });

  it('need not wait where it is here', () => {
    const whole = createWholeList();
    whole.arrived();
    const act = vi.fn<() => void>();
    expect(whole.wait(act)).toBe(false);
    expect(act).not.toHaveBeenCalled();
  });

  it('may be asked for again by what has waited, which need not wait then', () => {
    const whole = createWholeList();
    const done: string[] = [];
    const act = (): void => {
      if (!whole.wait(act)) done.push('done');
    };
    act();
    whole.arrived();
    expect(done).toEqual(['done']);
  });
});
