import { useEffect, useMemo } from 'preact/hooks';
import { Failed } from '../components/Failed.tsx';
import { Icon } from '../components/Icon.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import { RunCompare } from '../components/runs/RunCompare.tsx';
import { RunHistory } from '../components/runs/RunHistory.tsx';
import { RunTable } from '../components/runs/RunTable.tsx';
import { RunView } from '../components/runs/RunView.tsx';
import type { Api } from '../models/api.ts';
import { formatCount } from '../models/format.ts';
import { createRunList, createRuns, type RunList } from '../models/runs/RunList.ts';
import { here } from '../models/root.ts';
import { metricsOf } from '../models/runs/runs.ts';
import { WORDS as COMMON } from '../words/common.ts';
import { WORDS } from '../words/runs.ts';
import '../styles/runs.css';

/** All runs; one, at `/runs/:id`; or two, at `/runs?base=…&now=…`. */
export function RunsPage({ api, runId }: { api: Api; runId: string | null }) {
  const query = new URLSearchParams(location.search);
  const [base, now] = [query.get('base'), query.get('now')];
  const ids = runId ? [runId] : base && now ? [base, now] : [];
  useEffect(() => {
    document.title = COMMON.tab(WORDS.title);
  }, []);
  return (
    <>
      <PageHeader path="/runs" />
      <main class="page runs-page">{ids.length > 0 ? <Chosen api={api} ids={ids} /> : <All api={api} />}</main>
    </>
  );
}

function Chosen({ api, ids }: { api: Api; ids: string[] }) {
  const model = useMemo(() => createRuns({ api, ids }), [api]);
  useEffect(() => void model.load(), [model]);
  const [first, second] = model.runs.value ?? [];
  return (
    <>
      <p class="crumbs">
        <a href={here('/runs')}>
          <Icon name="back" /> {WORDS.one.back}
        </a>
      </p>
      {!first && (
        <>
          <h1>{WORDS.title}</h1>
          {model.missing.value ? (
            <p class="notice notice-bad" role="alert">
              {WORDS.one.missing}
            </p>
          ) : model.error.value ? (
            <Failed why={model.error.value} again={() => model.load()} />
          ) : (
            <p class="faint">{WORDS.loading}</p>
          )}
        </>
      )}
      {first && (second ? <RunCompare base={first} now={second} /> : <RunView run={first} />)}
    </>
  );
}

function All({ api }: { api: Api }) {
  const list = useMemo(() => createRunList({ api }), [api]);
  useEffect(() => void list.load(), [list]);
  const reply = list.reply.value;
  return (
    <>
      <h1>{WORDS.title}</h1>
      {list.error.value && <Failed why={list.error.value} again={() => list.load()} />}
      {!reply && !list.error.value && <p class="faint">{WORDS.loading}</p>}
      {reply && reply.items.length === 0 && <NoRuns />}
      {reply && reply.items.length > 0 && (
        <>
          <Filters list={list} />
          <RunHistory list={list} />
          <RunTable list={list} />
          {reply.total > reply.items.length + reply.unreadable.length && (
            <p class="faint">{WORDS.more(formatCount(reply.items.length), formatCount(reply.total))}</p>
          )}
        </>
      )}
      {reply && reply.unreadable.length > 0 && (
        <p class="faint" title={reply.unreadable.join(', ')}>
          {WORDS.unreadable(reply.unreadable.length)}
        </p>
      )}
    </>
  );
}

function NoRuns() {
  const { title, text, command, afterwards } = WORDS.none;
  return (
    <div class="prose">
      <h2>{title}</h2>
      <p>{text}</p>
      <pre>
        <code>{command}</code>
      </pre>
      <p>{afterwards}</p>
    </div>
  );
}

function Filters({ list }: { list: RunList }) {
  const F = WORDS.filter;
  const pair = list.pair.value;
  const metrics = metricsOf(list.runs.value, list.scenario.value);
  const pick = (scenario: string): void => {
    list.scenario.value = scenario;
    const known = metricsOf(list.runs.value, scenario);
    if (!known.includes(list.metric.value)) list.metric.value = known[0] ?? '';
  };
  return (
    <div class="run-filters">
      <label>
        {F.scenario}
        <select name="scenario" value={list.scenario.value} onChange={({ currentTarget }) => pick(currentTarget.value)}>
          <option value="">{F.all}</option>
          {list.scenarios.value.map((scenario) => (
            <option key={scenario} value={scenario}>
              {scenario}
            </option>
          ))}
        </select>
      </label>
      <label>
        {F.metric}
        <select
          name="metric"
          disabled={metrics.length === 0}
          value={list.metric.value}
          onChange={({ currentTarget }) => (list.metric.value = currentTarget.value)}
        >
          {metrics.length === 0 && <option value="">–</option>}
          {metrics.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {pair ? (
        <a class="compare-link" href={here(`/runs?base=${pair.base}&now=${pair.now}`)}>
          {WORDS.compareLink}
        </a>
      ) : (
        <span class="faint">{WORDS.compareHint}</span>
      )}
    </div>
  );
}
