interface Slow {
  query: string;
  duration: number;
  rowCount: number;
}

/** What a slow query's shape suggests; each advice once, with the number of queries that call for it. */
const RULES: { advice: string; when: (slow: Slow) => boolean }[] = [
  { advice: 'many rows in one reply: page by cursor', when: ({ rowCount }) => rowCount > 500 },
  {
    advice: 'large offset or count over all rows: prefer cursors',
    when: ({ query }) => /\boffset\b|count\(\*\)/i.test(query),
  },
  {
    advice: 'pattern search over names: add a trigram index if it is common',
    when: ({ query }) => /\bilike\b/i.test(query),
  },
  {
    advice: 'a write that waited: look for locks and a slow disk',
    when: ({ query }) => /^\s*(insert|update|delete)/i.test(query),
  },
];

const OTHERWISE = 'no known pattern: look at the plan with EXPLAIN (ANALYZE, BUFFERS), and at the load of the machine';

export function recommend(slow: readonly Slow[]): string[] {
  const others = slow.filter((query) => !RULES.some(({ when }) => when(query))).length;
  const counted = [
    ...RULES.map(({ advice, when }) => ({ advice, count: slow.filter(when).length })),
    { advice: OTHERWISE, count: others },
  ];
  return counted.flatMap(({ advice, count }) =>
    count > 0 ? [`${advice} (${count} slow ${count === 1 ? 'query' : 'queries'})`] : [],
  );
}
