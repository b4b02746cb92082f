import type { Registry } from 'prom-client';

const OPEN_METRICS = 'application/openmetrics-text';
const OPEN_METRICS_TYPE = `${OPEN_METRICS}; version=1.0.0; charset=utf-8`;

interface Exemplar {
  labelSet: Record<string, string>;
  value: number;
  /** Unix time in seconds. */
  timestamp: number;
}
interface Sample {
  metricName?: string;
  labels: Record<string, string | number>;
  value: number;
  exemplar?: Exemplar | null;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
/** Edges of buckets are floats, and written as such (OpenMetrics 1.0, "Canonical Numbers"). */
const edgeText = (edge: string | number): string => (Number.isInteger(edge) ? `${edge}.0` : String(edge));

const labelsText = (labels: Readonly<Record<string, string | number>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${name === 'le' ? edgeText(value) : escaped(String(value))}"`)
    .join(',');

function sampleText(family: string, { metricName, labels, value, exemplar }: Sample): string {
  const pairs = labelsText(labels);
  const line = `${metricName ?? family}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}`;
  if (!exemplar) return line;
  return `${line} # {${labelsText(exemplar.labelSet)}} ${numberText(exemplar.value)} ${exemplar.timestamp}`;
}

/**
 * OpenMetrics 1.0, with exemplars. prom-client's own takes `_total` from the names of its counters for good, in the plain format of
 * the next scrape too.
 */
async function openMetrics(registry: Registry): Promise<string> {
  const families = await registry.getMetricsAsJSON();
  const texts = families.map((metric) => {
    const type = String(metric.type);
    const family = type === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
    const name = type === 'counter' ? `${family}_total` : family;
    const lines = (metric.values as unknown as Sample[]).map((sample) => `${sampleText(name, sample)}\n`);
    return `# HELP ${family} ${escaped(metric.help)}\n# TYPE ${family} ${type}\n${lines.join('')}`;
  });
  return `${texts.join('')}# EOF\n`;
}

/** Weight that an Accept header gives to a type by its name, 0 to 1. */
function weightOf(accept: string, type: string): number {
  const weights = accept.split(',').flatMap((part) => {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (name !== type) return [];
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    return [Number.isFinite(weight) ? weight : 0];
  });
  return Math.max(0, ...weights);
}

/** All metrics of a process: OpenMetrics for whoever asks for it by name, as Prometheus does, and else the plain text format. */
export async function expose(registry: Registry, accept = ''): Promise<{ type: string; body: string }> {
  const wanted = weightOf(accept, OPEN_METRICS);
  if (wanted > 0 && wanted >= weightOf(accept, 'text/plain'))
    return { type: OPEN_METRICS_TYPE, body: await openMetrics(registry) };
  return { type: registry.contentType, body: await registry.metrics() };
}
