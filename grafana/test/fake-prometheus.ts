/** A series of an answer: `at` is its value at a time in seconds. */
export interface FakeSeries {
  metric: Record<string, string>;
  at: (seconds: number) => number;
}
/** From 0 to 9 and again. */
export const saw = (seconds: number): number => Math.floor(seconds / 15) % 10;
const LABELS = {
  route: '/api/projects',
  instance: '127.0.0.1:9464',
  role: 'api',
  scenario: 'bulk-1000',
  client: 'naive',
};
/** Two series for whatever is asked. */
export const answering =
  (at: FakeSeries['at']) =>
  (_expr: string): FakeSeries[] => [
    { metric: LABELS, at },
    { metric: { ...LABELS, role: 'relay' }, at: (seconds) => at(seconds) / 2 },
  ];

/** Stands in for `fetch`: what Prometheus' interface answers for these series. What `series` throws is its refusal. */
export function fakePrometheus(
  series: (expr: string) => FakeSeries[] = answering(saw),
  seen: (query: URLSearchParams) => void = () => {},
): typeof fetch {
  return (input, init) => {
    const query = init?.body as URLSearchParams;
    seen(query);
    const number = (name: string): number => Number(query.get(name));
    const point = (at: FakeSeries['at'], seconds: number): [number, string] => [seconds, String(at(seconds))];
    const range = String(input as string).endsWith('query_range');
    try {
      const result = series(query.get('query')!).map(({ metric, at }) => {
        if (!range) return { metric, value: point(at, number('time')) };
        const steps = Math.floor((number('end') - number('start')) / number('step')) + 1;
        const times = Array.from({ length: steps }, (_, index) => number('start') + index * number('step'));
        return { metric, values: times.map((seconds) => point(at, seconds)) };
      });
      const data = { resultType: range ? 'matrix' : 'vector', result };
      return Promise.resolve(Response.json({ status: 'success', data }));
    } catch (error) {
      const refusal = { status: 'error', errorType: 'bad_data', error: (error as Error).message };
      return Promise.resolve(Response.json(refusal, { status: 400 }));
    }
  };
}
