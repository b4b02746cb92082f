import { growth, parsePrometheus, type Sample } from './prometheus.ts';

export interface MetricsSource {
  role: string;
  pid: number;
  metricsUrl: string;
}
export interface Scrape {
  role: string;
  pid: number;
  text: string;
  samples: Sample[];
}

/** Reads every role's metrics; a role that does not answer in 5 s is an error that names it. */
export function scrapeAll(sources: readonly MetricsSource[], fetchImpl = fetch): Promise<Scrape[]> {
  return Promise.all(
    sources.map(async ({ role, pid, metricsUrl }) => {
      const reply = await fetchImpl(new URL('/metrics', metricsUrl), { signal: AbortSignal.timeout(5_000) });
      if (!reply.ok) throw new Error(`metrics of ${role} (${metricsUrl}): status ${reply.status}`);
      const text = await reply.text();
      return { role, pid, text, samples: parsePrometheus(text) };
    }),
  );
}

/** What was counted between two scrapes, all roles together; each sample carries its role as label `scraped_role`. */
export function growthBetween(before: readonly Scrape[], after: readonly Scrape[]): Sample[] {
  return after.flatMap((scrape) => {
    const start = before.find(({ pid }) => pid === scrape.pid)?.samples ?? [];
    return growth(start, scrape.samples).map((sample) => ({
      ...sample,
      labels: { ...sample.labels, scraped_role: scrape.role },
    }));
  });
}
