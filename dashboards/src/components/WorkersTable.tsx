import { formatBytes, formatCount, formatPercent } from '../models/format.ts';
import type { Operator } from '../models/Operator.ts';

export function WorkersTable({ operator }: { operator: Operator }) {
  const workers = operator.queue.state.value.value?.workers ?? [];
  return (
    <section class="panel">
      <h2>Workers</h2>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th>Worker</th>
              <th>State</th>
              <th>Model</th>
              <th class="numeric">Busy</th>
              <th class="numeric">Images</th>
              <th class="numeric">Memory</th>
              <th>Last error</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.id}>
                <td>
                  {worker.id} {worker.pid !== null && <span class="faint">pid {worker.pid}</span>}
                </td>
                <td>{worker.state}</td>
                <td>
                  {worker.model} <span class="faint">{worker.provider}</span>
                </td>
                <td class="numeric">{formatPercent(worker.busyRatio)}</td>
                <td class="numeric">{formatCount(worker.imagesDone)}</td>
                <td class="numeric">{worker.rssBytes > 0 ? formatBytes(worker.rssBytes) : '–'}</td>
                <td>{worker.lastError ?? 'none'}</td>
              </tr>
            ))}
            {workers.length === 0 && (
              <tr>
                <td colSpan={7} class="faint">
                  No worker has reported itself.
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
