import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  defaultTextMapGetter,
  isSpanContextValid,
  trace,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  TracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { Counter } from 'prom-client';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Log } from '../roles/role.ts';
import { VERSION } from '../version.ts';
import { partsOf, type Traceparent } from './context.ts';
import { createSpanQueue } from './span-queue.ts';
import type { TraceConfig, Traces } from './traces.ts';

const SCOPE = 'segbench';

/** The samplers of the OpenTelemetry specification, by their names in `OTEL_TRACES_SAMPLER`. */
function samplerOf({ traceSampler: name, traceSamplerArg: ratio }: TraceConfig): Sampler {
  const plain = name.replace('parentbased_', '');
  const root =
    plain === 'always_on'
      ? new AlwaysOnSampler()
      : plain === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return plain === name ? root : new ParentBasedSampler({ root });
}
/** `name=value` pairs, percent-encoded, with commas between (OTLP exporter specification). */
export const headersOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .map((pair) => pair.split('='))
      .flatMap(([name = '', ...value]) =>
        name.trim() === '' ? [] : [[name.trim(), decodeURIComponent(value.join('=').trim())]],
      ),
  );
const asContext = (traceparent: Traceparent): SpanContext => ({
  ...partsOf(traceparent),
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});
const under = (parent: Traceparent): Context => trace.setSpanContext(ROOT_CONTEXT, asContext(parent));
const written = ({ traceId, spanId }: SpanContext): Traceparent => `00-${traceId}-${spanId}-01`;

/** Records spans and sends them to a collector by OTLP over HTTP as JSON. Loaded only where there is one. */
export function startTraces(config: TraceConfig, metrics: Metrics, log: Log): Traces {
  const counter = new Counter({
    name: 'segbench_trace_spans_total',
    help: 'Spans: exported, failed (the collector did not take them), dropped (too many waited).',
    labelNames: ['outcome'] as const,
    registers: metrics.registers,
  });
  for (const outcome of ['exported', 'failed', 'dropped']) counter.inc({ outcome }, 0);
  const queue = createSpanQueue({
    exporter: new OTLPTraceExporter({
      url: `${config.otlpEndpoint}/v1/traces`,
      headers: headersOf(config.otlpHeaders),
      timeoutMillis: config.otlpTimeoutMs,
    }),
    max: config.traceQueue,
    onOutcome: (outcome, count) => counter.inc({ outcome }, count),
    onCollector: (problem) => {
      const { origin } = new URL(config.otlpEndpoint);
      if (problem === null) log('warn', `traces: ${origin} takes spans again`);
      else log('warn', `traces: spans are lost, ${origin} does not take them: ${problem}`);
    },
  });
  metrics.gauge('segbench_trace_queue_spans', 'Spans that wait to be sent.', () => queue.length());

  const random = new RandomIdGenerator();
  let chosen: string | undefined;
  const idGenerator = {
    generateTraceId: () => random.generateTraceId(),
    generateSpanId: () => chosen ?? random.generateSpanId(),
  };
  const providers = new Map<string, TracerProvider>();
  function tracerOf(role: Config['role'], sampler: Sampler) {
    const kind = `${role} ${sampler.toString()}`;
    let provider = providers.get(kind);
    if (!provider) {
      const resource = resourceFromAttributes({
        'service.name': `${config.traceService}-${role}`,
        'service.namespace': config.traceService,
        'service.version': VERSION,
      });
      provider = new TracerProvider({ resource, sampler, idGenerator, spanProcessors: [queue] });
      providers.set(kind, provider);
    }
    return provider.getTracer(SCOPE, VERSION);
  }
  const requests = tracerOf(config.role, samplerOf(config));
  const propagator = new W3CTraceContextPropagator();
  // what is recorded afterwards was sampled by the request that it follows from
  const always = new AlwaysOnSampler();

  return {
    request(name, headers, attributes) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      const span = requests.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
      const context = span.spanContext();
      const sampled = isSpanContextValid(context) && (context.traceFlags & TraceFlags.SAMPLED) !== 0;
      return {
        traceparent: sampled ? written(context) : null,
        end(statusCode) {
          span.setAttribute('http.response.status_code', statusCode);
          if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    past({ role, name, startMs, endMs, parent, spanId, links = [], attributes = {}, error }) {
      chosen = spanId;
      const options = {
        startTime: startMs,
        attributes,
        links: links.map((link) => ({ context: asContext(link) })),
      };
      const span = tracerOf(role, always).startSpan(name, options, under(parent));
      chosen = undefined;
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(Math.max(startMs, endMs));
    },
    room: () => queue.room(),
    close: () => queue.shutdown(),
  };
}
