import { expect, it } from 'vitest';
import { parsePrices } from '../../src/capacity/prices.ts';

it('reads what things cost', () => {
  expect(parsePrices('{"currency": "EUR", "workerHour": 1.5}')).toEqual({ currency: 'EUR', workerHour: 1.5 });
});

it.each([
  ['{"currency": "EUR", "workerHour": -1}', /workerHour is -1; allowed: a number from 0/],
  ['{"currency": "EUR", "workerHour": 1, "networkGb": -0.5}', /networkGb is -0.5; allowed: a number from 0/],
  ['{"currency": "EUR", "workerHour": "1"}', /workerHour is "1"; allowed: a number from 0/],
  ['{"currency": "", "workerHour": 1}', /currency is ""; allowed: one to five letters/],
  ['{"workerHour": 1}', /currency/],
  ['{"currency": "EUR", "workerHour": 1, "gpuHour": 2}', /gpuHour.*no such field/],
  ['[1]', /allowed: an object/],
  ['{', /allowed: an object/],
])('refuses %s', (text, message) => {
  expect(() => parsePrices(text)).toThrow(message);
});
