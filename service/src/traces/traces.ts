import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Log } from '../roles/role.ts';
import type { Traceparent } from './context.ts';

export type Attributes = Record<string, string | number | boolean>;

/** A span whose beginning and end are known already; all times epoch milliseconds. */
export interface PastSpan {
  /** Which process it happened in; part of `service.name`. */
  role: Config['role'];
  name: string;
  startMs: number;
  endMs: number;
  parent: Traceparent;
  /** Chosen by who made it, where its children need it. */
  spanId?: string;
  links?: readonly Traceparent[];
  attributes?: Attributes;
  /** What went wrong; none where absent. */
  error?: string;
}
/** The span of a request that is being answered. */
export interface RequestSpan {
  /** Null where the trace is not sampled: then nothing that follows from the request is recorded either. */
  traceparent: Traceparent | null;
  end(statusCode: number): void;
}
/** What the service records. Nothing here waits, throws or grows: what cannot be sent in time is dropped and counted. */
export interface Traces {
  /** @param headers of the request, whose `traceparent` and `tracestate` are continued */
  request(name: string, headers: IncomingHttpHeaders, attributes: Attributes): RequestSpan;
  past(span: PastSpan): void;
  /** Spans that can be recorded now without one being dropped. */
  room(): number;
  /** Sends what waits, for two seconds at most. */
  close(): Promise<void>;
}
export type TraceConfig = Pick<
  Config,
  | 'otlpEndpoint'
  | 'otlpHeaders'
  | 'otlpTimeoutMs'
  | 'traceService'
  | 'traceSampler'
  | 'traceSamplerArg'
  | 'traceQueue'
  | 'role'
>;

/** Null without `OTEL_EXPORTER_OTLP_ENDPOINT`: then not a line of OpenTelemetry is loaded. */
export async function createTraces(config: TraceConfig, metrics: Metrics, log: Log = () => {}): Promise<Traces | null> {
  if (config.otlpEndpoint === '') return null;
  return (await import('./otel.ts')).startTraces(config, metrics, log);
}
