import { expect, it } from 'vitest';
import { isOriginAllowed } from '../../src/events/origin.ts';

const host = '127.0.0.1:8080';

it('takes its own origin, whoever asks', () => {
  expect(isOriginAllowed({ origin: 'http://127.0.0.1:8080', host, hasBearer: false })).toBe(true);
  expect(isOriginAllowed({ origin: 'https://127.0.0.1:8080', host, hasBearer: true })).toBe(true);
});
it('refuses a foreign or opaque origin, with a key too', () => {
  for (const origin of ['http://evil.example', 'http://127.0.0.1:8081', 'null', 'file://', ''])
    expect(isOriginAllowed({ origin, host, hasBearer: true })).toBe(false);
});
it('takes no origin only with a bearer key', () => {
  expect(isOriginAllowed({ origin: undefined, host, hasBearer: true })).toBe(true);
  expect(isOriginAllowed({ origin: undefined, host, hasBearer: false })).toBe(false);
});
