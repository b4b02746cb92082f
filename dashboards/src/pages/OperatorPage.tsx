import { useEffect, useMemo } from 'preact/hooks';
import { OpenBatches } from '../components/OpenBatches.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import { ProjectList } from '../components/ProjectList.tsx';
import { Tiles } from '../components/Tiles.tsx';
import { VerdictBar } from '../components/VerdictBar.tsx';
import { WorkersTable } from '../components/WorkersTable.tsx';
import type { Api } from '../models/api.ts';
import { browserClock } from '../models/clock.ts';
import { createOperator } from '../models/Operator.ts';

export function OperatorPage({ api }: { api: Api }) {
  const operator = useMemo(() => createOperator({ api, clock: browserClock, hidden: () => document.hidden }), [api]);
  useEffect(() => {
    operator.start();
    return operator.stop;
  }, [operator]);
  return (
    <>
      <PageHeader path="/" />
      <main class="page">
        <h1 class="visually-hidden">Now</h1>
        <VerdictBar operator={operator} />
        <Tiles operator={operator} />
        <div class="columns">
          <ProjectList operator={operator} />
          <div>
            <OpenBatches operator={operator} />
            <WorkersTable operator={operator} />
          </div>
        </div>
      </main>
    </>
  );
}
