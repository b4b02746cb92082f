import { addressOf } from '#contract/client.ts';
import type { Run } from '#contract/runs.ts';
import { formatCount, formatMoment } from '../../models/format.ts';
import { here } from '../../models/root.ts';
import { formatUnit, limitWords } from '../../models/runs/runs.ts';
import { WORDS } from '../../words/runs.ts';
import { VerdictMark } from './VerdictMark.tsx';

const { one: O, table: T } = WORDS;

/** One run: its verdict, each budget, where it ran, and the way to its report. */
export function RunView({ run }: { run: Run }) {
  const facts: [string, string][] = [
    [O.facts.started, formatMoment(run.startedAt)],
    [O.facts.images, formatCount(run.imageCount)],
    [O.facts.client, run.client],
    [O.facts.seed, String(run.seed)],
    [O.facts.commit, run.commit],
    [O.facts.folder, run.name],
  ];
  return (
    <>
      <h1>
        {run.scenario} <VerdictMark verdict={run.verdict} />
      </h1>
      {run.hasReport ? (
        <p>
          <a
            href={here(addressOf('GET /api/runs/{id}/report', { path: { id: run.id } }))}
            target="_blank"
            rel="noopener"
          >
            {O.report}
          </a>
        </p>
      ) : (
        <p class="faint">{O.noReport}</p>
      )}
      <dl class="facts">
        {facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      {run.budgets.length > 0 && (
        <section class="panel">
          <h2 id="budgets-title">{O.budgets}</h2>
          <div class="table-frame" tabIndex={0} role="region" aria-labelledby="budgets-title">
            <table>
              <thead>
                <tr>
                  <th scope="col">{T.metric}</th>
                  <th scope="col" class="numeric">
                    {T.actual}
                  </th>
                  <th scope="col" class="numeric">
                    {T.limit}
                  </th>
                  <th scope="col">{T.verdict}</th>
                  <th scope="col">{T.note}</th>
                </tr>
              </thead>
              <tbody>
                {run.budgets.map((budget) => (
                  <tr key={budget.name}>
                    <td>{budget.name}</td>
                    <td class="numeric">{formatUnit(budget.actual, budget.unit)}</td>
                    <td class="numeric">{limitWords(budget)}</td>
                    <td>
                      <VerdictMark verdict={budget.verdict} />
                    </td>
                    <td class="wrap">{budget.note}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {run.notes.length > 0 && (
        <section>
          <h2>{O.notes}</h2>
          <ul class="notes">
            {run.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>{O.machine}</h2>
        <dl class="facts">
          {run.machine.map(({ name, value }) => (
            <>
              <dt>{name}</dt>
              <dd>{value || '–'}</dd>
            </>
          ))}
        </dl>
      </section>
    </>
  );
}
