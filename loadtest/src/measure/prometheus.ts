export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Record<string, string> = { n: '\n', '"': '"', '\\': '\\' };
const unescapeLabel = (text: string) => text.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);

/** Prometheus text format 0.0.4; comments are skipped, a line that is not a sample is an error. */
export function parsePrometheus(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (!match) throw new Error(`metrics: not a sample: ${JSON.stringify(line.slice(0, 120))}`);
    const [, name, labelText, number] = match as unknown as [string, string, string | undefined, string];
    const labels: Record<string, string> = {};
    for (const [, key, value] of (labelText ?? '').matchAll(LABEL))
      labels[key as string] = unescapeLabel(value as string);
    const value = number === '+Inf' ? Infinity : number === '-Inf' ? -Infinity : Number(number);
    samples.push({ name, labels, value });
  }
  return samples;
}

const keyOf = ({ name, labels }: Sample) =>
  `${name}|${Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')}`;

/** Growth of every counter between two scrapes of one process; a series that is new counts from 0. */
export function growth(before: readonly Sample[], after: readonly Sample[]): Sample[] {
  const start = new Map(before.map((sample) => [keyOf(sample), sample.value]));
  return after.map((sample) => ({ ...sample, value: sample.value - (start.get(keyOf(sample)) ?? 0) }));
}

export type LabelFilter = (labels: Record<string, string>) => boolean;
const every: LabelFilter = () => true;

export function sumOf(samples: readonly Sample[], name: string, where: LabelFilter = every): number {
  let sum = 0;
  for (const sample of samples) if (sample.name === name && where(sample.labels)) sum += sample.value;
  return sum;
}

/** Mean of a histogram or summary in its own unit; null when nothing was observed. */
export function histogramMean(samples: readonly Sample[], name: string, where: LabelFilter = every): number | null {
  const count = sumOf(samples, `${name}_count`, where);
  return count > 0 ? sumOf(samples, `${name}_sum`, where) / count : null;
}

/** How many values lie at or below an edge; the last edge is Infinity. */
export type Bucket = [edge: number, cumulative: number];

/** Classic buckets merged over all matching series, ascending. */
export function bucketsOf(samples: readonly Sample[], name: string, where: LabelFilter = every): Bucket[] {
  const byEdge = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket` || !where(sample.labels)) continue;
    const edge = sample.labels['le'] === '+Inf' ? Infinity : Number(sample.labels['le']);
    byEdge.set(edge, (byEdge.get(edge) ?? 0) + sample.value);
  }
  return [...byEdge].toSorted(([a], [b]) => a - b);
}

/**
 * Linear inside a bucket as `histogram_quantile` does (Prometheus documentation, "Histograms and summaries"); null when nothing was
 * observed. In the last, open bucket it is that bucket's lower edge, which no pass may be taken from unless the edge is above the limit.
 */
export function quantileOfBuckets(buckets: readonly Bucket[], q: number): number | null {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const rank = q * total;
  let lowerEdge = 0;
  let lowerCount = 0;
  for (const [edge, cumulative] of buckets) {
    if (cumulative >= rank) {
      if (edge === Infinity) return lowerEdge;
      const inside = cumulative - lowerCount;
      return inside === 0 ? edge : lowerEdge + ((edge - lowerEdge) * (rank - lowerCount)) / inside;
    }
    lowerEdge = edge;
    lowerCount = cumulative;
  }
  return lowerEdge;
}
