import { formatBytes, formatCount, formatPercent } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { WORDS } from '../../words/operator.ts';

const { columns, none, noError, pid, title } = WORDS.workers;
/** A worker of another version may know more of them. */
const states: Readonly<Record<string, string>> = WORDS.workers.states;

/** `w14569-35e0df/local-1` → `35e0df/local-1`: what tells workers apart. */
const shortId = (id: string): string => id.replace(/^w\d+-/, '');

export function WorkersTable({ operator }: { operator: Operator }) {
  const workers = operator.queue.value.value?.workers ?? [];
  return (
    <section class="panel panel-now">
      <h2 id="workers-title">{title}</h2>
      <div class="table-frame scroll-y" tabIndex={0} role="region" aria-labelledby="workers-title">
        <table class="dense">
          <thead>
            <tr>
              <th scope="col">{columns.id}</th>
              <th scope="col">{columns.state}</th>
              <th scope="col" class="numeric">
                {columns.slots}
              </th>
              <th scope="col">{columns.model}</th>
              <th scope="col" class="numeric">
                {columns.fill}
              </th>
              <th scope="col" class="numeric">
                {columns.busy}
              </th>
              <th scope="col" class="numeric">
                {columns.done}
              </th>
              <th scope="col" class="numeric">
                {columns.memory}
              </th>
              <th scope="col">{columns.error}</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.id}>
                <td title={worker.pid === null ? worker.id : `${worker.id}, ${pid(worker.pid)}`}>
                  {shortId(worker.id)}
                </td>
                <td>{states[worker.state] ?? worker.state}</td>
                <td class="numeric">{formatCount(worker.slots)}</td>
                <td title={worker.model}>
                  {worker.model} <span class="faint">{worker.provider}</span>
                </td>
                <td class="numeric">{worker.batchFill === null ? '–' : formatPercent(worker.batchFill)}</td>
                <td class="numeric">{formatPercent(worker.busyRatio)}</td>
                <td class="numeric">{formatCount(worker.imagesDone)}</td>
                <td class="numeric">{worker.rssBytes > 0 ? formatBytes(worker.rssBytes) : '–'}</td>
                <td class="last-error" title={worker.lastError ?? undefined}>
                  {worker.lastError ?? noError}
                </td>
              </tr>
            ))}
            {workers.length === 0 && (
              <tr>
                <td colSpan={9} class="faint">
                  {none}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
