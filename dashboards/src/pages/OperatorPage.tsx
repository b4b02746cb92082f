import { useEffect, useMemo } from 'preact/hooks';
import { BaselineBar } from '../components/operator/BaselineBar.tsx';
import { BatchesPanel } from '../components/operator/BatchesPanel.tsx';
import { BudgetStrip } from '../components/operator/BudgetStrip.tsx';
import { Charts } from '../components/operator/Charts.tsx';
import { FailuresPanel } from '../components/operator/FailuresPanel.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import { ProjectList } from '../components/operator/ProjectList.tsx';
import { Tiles } from '../components/operator/Tiles.tsx';
import { VerdictBar } from '../components/operator/VerdictBar.tsx';
import { WorkersTable } from '../components/operator/WorkersTable.tsx';
import type { Api } from '../models/api.ts';
import { browserClock } from '../models/clock.ts';
import { createOperator } from '../models/operator/Operator.ts';
import { WORDS as COMMON } from '../words/common.ts';
import { WORDS } from '../words/operator.ts';
import '../styles/now.css';
import '../styles/now-panels.css';

/** Null where the browser forbids it. */
function storageOf(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export function OperatorPage({ api }: { api: Api }) {
  const operator = useMemo(
    () => createOperator({ api, clock: browserClock, hidden: () => document.hidden, storage: storageOf() }),
    [api],
  );
  useEffect(() => {
    document.title = COMMON.tab(WORDS.title);
    operator.start();
    const back = () => void (document.hidden || operator.catchUp());
    document.addEventListener('visibilitychange', back);
    addEventListener('online', back);
    return () => {
      document.removeEventListener('visibilitychange', back);
      removeEventListener('online', back);
      operator.stop();
    };
  }, [operator]);
  return (
    <div class="now">
      <PageHeader path="/" />
      <main class="page now-page">
        <h1 class="visually-hidden">{WORDS.title}</h1>
        <p class="visually-hidden" role="status">
          {operator.polite.message.value}
        </p>
        <p class="visually-hidden" role="alert">
          {operator.alert.message.value}
        </p>
        <VerdictBar operator={operator} />
        <Tiles operator={operator} />
        <Charts operator={operator} />
        <BaselineBar operator={operator} />
        <div class="now-panels">
          <ProjectList operator={operator} />
          <BatchesPanel operator={operator} />
          <FailuresPanel operator={operator} />
          <WorkersTable operator={operator} />
        </div>
        <BudgetStrip operator={operator} />
      </main>
    </div>
  );
}
