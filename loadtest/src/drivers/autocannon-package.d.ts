/** The part of autocannon 9 that is used; the package has no types of its own. */
declare module 'autocannon' {
  interface Options {
    url: string;
    method: 'GET' | 'POST';
    headers: Record<string, string>;
    body?: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Seconds. */
    timeout: number;
  }
  interface Percentiles {
    p50: number;
    p99: number;
    max: number;
  }
  interface Result {
    /** Answered; `sent` counts also what was under way at the end. */
    requests: { total: number; sent: number };
    latency: Percentiles;
    throughput: { total: number };
    /** Seconds. */
    duration: number;
    errors: number;
    timeouts: number;
    non2xx: number;
    '2xx': number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}
