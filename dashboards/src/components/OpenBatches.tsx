import { terminalOf } from '../models/Batches.ts';
import { formatCount, formatEta } from '../models/format.ts';
import type { Operator } from '../models/Operator.ts';

export function OpenBatches({ operator }: { operator: Operator }) {
  const batches = operator.batches.state.value.value ?? [];
  return (
    <section class="panel">
      <h2>Open batches</h2>
      {batches.length === 0 && <p class="faint">No batch is open.</p>}
      <ul class="batch-list">
        {batches.map((batch) => {
          const done = terminalOf(batch.counts);
          return (
            <li key={batch.id}>
              <a href={`/projects/${batch.projectId}`}>{batch.projectName}</a>
              <progress max={batch.total} value={done} aria-label={`Batch in ${batch.projectName}`} />
              <span>
                {formatCount(done)} of {formatCount(batch.total)}
                {batch.counts.failed > 0 && `, ${formatCount(batch.counts.failed)} failed`} · {batch.status}
                {batch.eta && ` · ${formatEta(batch.eta)}`}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
