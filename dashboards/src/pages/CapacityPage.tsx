import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Forecasts } from '#contract/forecasts.ts';
import { Failed } from '../components/Failed.tsx';
import { ForecastTable } from '../components/ForecastTable.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import type { Api } from '../models/api.ts';
import { WORDS as COMMON } from '../words/common.ts';
import { WORDS } from '../words/forecast.ts';

const W = WORDS.capacity;

/** What was said of batches before they began, beside what they took. */
export function CapacityPage({ api }: { api: Api }) {
  const reply = useSignal<Forecasts | null>(null);
  const error = useSignal<string | null>(null);
  const load = async (): Promise<void> => {
    try {
      reply.value = await api.call('GET /api/forecasts');
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
    }
  };
  useEffect(() => {
    document.title = COMMON.tab(W.title);
    void load();
  }, []);
  const found = reply.value;
  return (
    <>
      <PageHeader path="/capacity" />
      <main class="page">
        <h1>{W.title}</h1>
        <p>{W.intro}</p>
        {error.value !== null && <Failed why={W.failed(error.value)} again={load} />}
        {found?.score && <p data-score={found.score.coverage}>{W.score(found.score)}</p>}
        {found && (found.items.length > 0 ? <ForecastTable items={found.items} /> : <p class="faint">{W.none}</p>)}
        <h2>{W.planTitle}</h2>
        <p>{W.plan}</p>
        <pre tabIndex={0}>
          <code>{W.commands.join('\n')}</code>
        </pre>
      </main>
    </>
  );
}
