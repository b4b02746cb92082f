import type { Run } from '#contract/runs.ts';
import { formatCount, formatMoment } from '../../models/format.ts';
import type { RunList } from '../../models/runs/RunList.ts';
import { here } from '../../models/root.ts';
import { formatUnit, heldOf, isControl } from '../../models/runs/runs.ts';
import { WORDS } from '../../words/runs.ts';
import { VerdictMark } from './VerdictMark.tsx';

const L = WORDS.list;

export function RunTable({ list }: { list: RunList }) {
  const metric = list.metric.value;
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={L.label}>
      <table>
        <thead>
          <tr>
            <th scope="col">{L.choose}</th>
            <th scope="col">{L.verdict}</th>
            <th scope="col">{L.scenario}</th>
            <th scope="col">{L.started}</th>
            <th scope="col" class="numeric">
              {L.images}
            </th>
            <th scope="col" class="numeric">
              {L.budgets}
            </th>
            {metric && (
              <th scope="col" class="numeric">
                {metric}
              </th>
            )}
            <th scope="col">{L.commit}</th>
          </tr>
        </thead>
        <tbody>
          {list.shown.value.map((run) => (
            <Row key={run.id} run={run} list={list} metric={metric} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run, list, metric }: { run: Run; list: RunList; metric: string }) {
  const { held, judged } = heldOf(run);
  const budget = run.budgets.find(({ name }) => name === metric);
  return (
    <tr data-run={run.id}>
      <td>
        <input
          type="checkbox"
          aria-label={L.chooseRun(run.name)}
          checked={list.chosen.value.includes(run.id)}
          onChange={({ currentTarget }) => list.choose(run.id, currentTarget.checked)}
        />
      </td>
      <td>
        <VerdictMark verdict={run.verdict} />
      </td>
      <td>
        <a href={here(`/runs/${run.id}`)}>{run.scenario}</a> {run.simulated && <span class="faint">{L.simulated}</span>}
        {isControl(run) && <span class="faint">{L.control}</span>}
      </td>
      <td>{formatMoment(run.startedAt)}</td>
      <td class="numeric">{formatCount(run.imageCount)}</td>
      <td class="numeric">{judged === 0 ? '–' : L.held(held, judged)}</td>
      {metric && <td class="numeric">{budget ? formatUnit(budget.actual, budget.unit) : '–'}</td>}
      <td>
        <code>{run.commit.slice(0, 9)}</code>
      </td>
    </tr>
  );
}
