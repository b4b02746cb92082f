import { describe, expect, it } from 'vitest';
import { addressGroup } from '../../src/limits/address.ts';
import { WINDOW_MS, admissionOf, isRoom } from '../../src/limits/window.ts';

const START = 1_000 * WINDOW_MS;

describe('isRoom', () => {
  it('weighs the last window by the share of it that is less than a minute old', () => {
    const counts = { current: 0, previous: 10 };
    expect(isRoom(counts, 10, START)).toBe(false);
    expect(isRoom(counts, 10, START + WINDOW_MS / 10 - 1)).toBe(false);
    expect(isRoom(counts, 10, START + WINDOW_MS / 10)).toBe(true);
    expect(isRoom({ current: 5, previous: 10 }, 10, START + WINDOW_MS / 2)).toBe(false);
  });

  it('has no room for more than the limit, at whatever time', () => {
    expect(isRoom({ current: 3, previous: 0 }, 3, START + WINDOW_MS - 1)).toBe(false);
    expect(isRoom({ current: 0, previous: 0 }, 3, START, 4)).toBe(false);
    expect(isRoom({ current: 0, previous: 0 }, 3, START, 3)).toBe(true);
  });
});

describe('admissionOf', () => {
  it.each([
    [{ current: 0, previous: 10 }, 10, 0],
    [{ current: 4, previous: 10 }, 10, 20_000],
    [{ current: 10, previous: 0 }, 10, 59_000],
    [{ current: 10, previous: 10 }, 10, 1_000],
    [{ current: 1, previous: 1 }, 1, 30_000],
  ])(
    'tells of %j at limit %i, %i ms into the window, a time after which there is room, and not much sooner',
    (counts, limit, into) => {
      const now = START + into;
      expect(isRoom(counts, limit, now)).toBe(false);
      const { seconds } = admissionOf(false, counts, limit, now);
      const roomAt = (at: number) =>
        at < START + WINDOW_MS
          ? isRoom(counts, limit, at)
          : isRoom(
              at < START + 2 * WINDOW_MS ? { current: 0, previous: counts.current } : { current: 0, previous: 0 },
              limit,
              at,
            );
      expect(roomAt(now + seconds * 1000)).toBe(true);
      expect(roomAt(now + seconds * 1000 - 1001)).toBe(false);
    },
  );

  it('counts down what is left', () => {
    expect(admissionOf(true, { current: 1, previous: 0 }, 10, START + 1)).toEqual({
      admitted: true,
      limit: 10,
      remaining: 9,
      seconds: 60,
    });
    expect(admissionOf(true, { current: 12, previous: 0 }, 10, START).remaining).toBe(0);
  });
});

describe('addressGroup', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unix:', 'unix:'],
  ])('takes %s as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
