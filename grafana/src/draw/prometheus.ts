import type { PlannedQuery } from './plan.ts';

export interface Answered {
  labels: Readonly<Record<string, string>>;
  /** One for each step from `startS` to `endS`; null where there is no number. */
  values: (number | null)[];
}
type Point = [seconds: number, value: string];
interface Reply {
  status: string;
  error?: string;
  data?: {
    resultType: string;
    result: { metric: Record<string, string>; values?: Point[]; value?: Point }[] | Point;
  };
}
const TIMEOUT_MS = 60_000;

/** Times of the points of a query, in seconds. */
export function timesOf({ startS, endS, stepS }: PlannedQuery): number[] {
  if (stepS === undefined) return [endS];
  return Array.from({ length: Math.floor((endS - startS) / stepS + 1e-6) + 1 }, (_, index) => startS + index * stepS);
}
/** Grafana draws neither NaN nor infinity. */
const numberOf = (text: string): number | null => (Number.isFinite(Number(text)) ? Number(text) : null);

function onSteps(query: PlannedQuery, points: readonly Point[]): (number | null)[] {
  const { startS, stepS } = query;
  const values: (number | null)[] = timesOf(query).map(() => null);
  for (const [seconds, text] of points)
    values[stepS === undefined ? 0 : Math.round((seconds - startS) / stepS)] = numberOf(text);
  return values;
}

/** Asks a Prometheus. @throws Error with its own words where it refuses */
export function createPrometheus(url: string, ask: typeof fetch = fetch) {
  return async function answer(query: PlannedQuery): Promise<Answered[]> {
    const { expr, stepS, startS, endS } = query;
    const body = new URLSearchParams({
      query: expr,
      ...(stepS === undefined
        ? { time: String(endS) }
        : { start: String(startS), end: String(endS), step: String(stepS) }),
    });
    const path = stepS === undefined ? 'query' : 'query_range';
    const reply = await ask(`${url.replace(/\/$/, '')}/api/v1/${path}`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: Error) => {
      throw new Error(
        `Prometheus at ${url} does not answer: ${(cause.cause as Error | undefined)?.message ?? cause.message}`,
        { cause },
      );
    });
    const text = await reply.text();
    const { status, error, data } = parsed(text);
    if (status !== 'success' || data === undefined)
      throw new Error(error ?? `Prometheus answers ${reply.status}: ${text.slice(0, 200)}`);
    if (data.resultType === 'scalar') return [{ labels: {}, values: onSteps(query, [data.result as Point]) }];
    const series = data.result as Exclude<typeof data.result, Point>;
    return series.map(({ metric, values, value }) => ({
      labels: metric,
      values: onSteps(query, values ?? (value === undefined ? [] : [value])),
    }));
  };
}
export type Prometheus = ReturnType<typeof createPrometheus>;

function parsed(text: string): Reply {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return { status: 'none' };
  }
}
