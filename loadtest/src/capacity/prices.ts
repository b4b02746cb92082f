import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { figure, type Figure } from './figure.ts';

const Price = Type.Optional(Type.Number({ minimum: 0 }));

/** What things cost, in one currency. What is left out costs nothing, and the plan says so. */
export const Prices = Type.Object(
  {
    /** As it is to be written behind a number, such as EUR. */
    currency: Type.String({ pattern: '^[A-Za-z€$£¥]{1,5}$' }),
    /** A worker (a core or a GPU) for an hour. */
    workerHour: Type.Number({ minimum: 0 }),
    /** Database, queue, API and relay together, for an hour. */
    serverHour: Price,
    /** A GB (1e9 bytes) kept for a month, and for how many months. */
    storageGbMonth: Price,
    keepMonths: Price,
    /** A GB sent to readers. */
    networkGb: Price,
  },
  { additionalProperties: false },
);
export type Prices = Static<typeof Prices>;

const ALLOWED = 'an object with currency, workerHour and perhaps serverHour, storageGbMonth, keepMonths, networkGb';

/** @throws RangeError naming the field, its value and what is allowed */
export function parsePrices(text: string): Prices {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${(error as Error).message}; allowed: ${ALLOWED}`);
  }
  const [first] = Value.Errors(Prices, value);
  if (first === undefined) return value as Prices;
  const path = first.instancePath;
  if (path === '') throw new RangeError(`${first.message}; allowed: ${ALLOWED}`);
  const field = path.slice(1);
  const given = JSON.stringify((value as Record<string, unknown>)[field]);
  const allowed =
    field === 'currency'
      ? 'one to five letters'
      : Object.hasOwn(Prices.properties, field)
        ? 'a number from 0'
        : `no such field; ${ALLOWED}`;
  throw new RangeError(`${field} is ${given}; allowed: ${allowed}`);
}

export interface Cost {
  currency: string;
  total: Figure;
  perThousand: Figure;
  parts: { what: string; cost: Figure }[];
}

const HOUR_MS = 3_600_000;
const GIGA = 1e9;

/** @param use workers for so long, bytes kept and bytes sent */
export function costOf(
  prices: Prices,
  file: string,
  use: { workers: Figure; tookMs: Figure; keptBytes: Figure; sentBytes: Figure; images: number },
): Cost | null {
  const { workers, tookMs, keptBytes, sentBytes, images } = use;
  if (workers.value === null || tookMs.value === null) return null;
  const hours = tookMs.value / HOUR_MS;
  const months = prices.keepMonths ?? 1;
  const parts: { what: string; amount: number }[] = [
    {
      what: `${workers.value} ${workers.value === 1 ? 'worker' : 'workers'} for ${hours.toFixed(2)} h`,
      amount: workers.value * hours * prices.workerHour,
    },
    { what: `servers for ${hours.toFixed(2)} h`, amount: hours * (prices.serverHour ?? 0) },
    {
      what: `${(keptBytes.value! / GIGA).toFixed(2)} GB for ${months} months`,
      amount: (keptBytes.value! / GIGA) * months * (prices.storageGbMonth ?? 0),
    },
    {
      what: `${(sentBytes.value! / GIGA).toFixed(2)} GB sent`,
      amount: (sentBytes.value! / GIGA) * (prices.networkGb ?? 0),
    },
  ];
  const total = parts.reduce((sum, { amount }) => sum + amount, 0);
  const priced = {
    origin: workers.origin,
    source: `prices of ${file}; ${workers.source}`,
    ...(workers.outside ? { outside: workers.outside } : {}),
  };
  // Fewer workers take longer: what they cost together varies as the time of a worker for an image does.
  const [least, most] = [tookMs.low ?? tookMs.value, tookMs.high ?? tookMs.value];
  const scaled = (per: number): Figure => ({
    ...figure(total * per, 'money', priced),
    low: total * per * Math.min(1, least / tookMs.value!),
    high: total * per * Math.max(1, most / tookMs.value!),
  });
  return {
    currency: prices.currency,
    total: scaled(1),
    perThousand: scaled(1000 / images),
    parts: parts
      .filter(({ amount }) => amount > 0)
      .map(({ what, amount }) => ({ what, cost: figure(amount, 'money', priced) })),
  };
}
