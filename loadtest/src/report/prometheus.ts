import { VERDICTS } from '../contract.ts';
import type { ResultFile } from '../contract.ts';

interface Family {
  name: string;
  help: string;
  samples: { labels: Record<string, string>; value: number | null }[];
}

/** `metrics.prom`: gauges in the text exposition format 0.0.4, for a textfile collector or a push gateway. Units are in the label `unit`. */
export function prometheusReport(result: ResultFile): string {
  const run = { scenario: result.scenario, client: result.clientMode };
  const ofBudget = (
    name: string,
    help: string,
    value: (budget: ResultFile['budgets'][number]) => number | null,
  ): Family => ({
    name: `segbench_bench_budget_${name}`,
    help,
    samples: result.budgets.map((b) => ({ labels: { ...run, budget: b.name, unit: b.unit }, value: value(b) })),
  });
  const single = (name: string, help: string, value: number | null): Family => ({
    name: `segbench_bench_${name}`,
    help,
    samples: [{ labels: run, value }],
  });
  const families: Family[] = [
    {
      name: 'segbench_bench_info',
      help: 'What was run, and where; always 1.',
      samples: [
        {
          labels: { ...run, commit: result.tool.commit, seed: String(result.seed), cpu: result.environment.cpuModel },
          value: 1,
        },
      ],
    },
    {
      name: 'segbench_bench_verdict',
      help: 'Verdict of the run: 1 for the one that holds.',
      samples: VERDICTS.map((verdict) => ({ labels: { ...run, verdict }, value: verdict === result.verdict ? 1 : 0 })),
    },
    single('finished_timestamp_seconds', 'When the run ended, Unix time.', Date.parse(result.finishedAt) / 1000),
    ofBudget('actual', 'Measured value of a budget; absent when it was not measured.', (b) => b.actual),
    ofBudget('limit', 'Limit of a budget.', (b) => b.limit),
    ofBudget('ok', 'Whether a budget held: 1 pass, 0 fail; absent when it was not judged.', (b) =>
      b.verdict === 'pass' ? 1 : b.verdict === 'fail' ? 0 : null,
    ),
    {
      name: 'segbench_bench_delivery_images',
      help: 'Images by what became of them.',
      samples: Object.entries(result.delivery).map(([state, value]) => ({ labels: { ...run, state }, value })),
    },
    {
      name: 'segbench_bench_stage_milliseconds',
      help: 'Time of a stage, by quantile over images.',
      samples: Object.entries(result.stages).flatMap(([stage, s]) =>
        Object.entries({ '0.5': s.p50Ms, '0.95': s.p95Ms, '0.99': s.p99Ms, '1': s.maxMs }).map(([quantile, value]) => ({
          labels: { ...run, stage, quantile },
          value,
        })),
      ),
    },
    single('cpu_ratio', 'CPU of a bare loop over CPU of the service, per image.', result.efficiency.cpuRatio),
    single('images_per_second', 'Images through the whole path a second.', result.efficiency.imagesPerSecond),
  ];
  return families.map(familyText).join('');
}

function familyText({ name, help, samples }: Family): string {
  const present = samples.filter(({ value }) => value !== null);
  if (present.length === 0) return '';
  const lines = present.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    return `${name}{${pairs.join(',')}} ${String(value)}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
