import type { RunDetail } from '#contract/runs.ts';
import { formatMoment, formatPercent, formatRatio } from '../../models/format.ts';
import { here } from '../../models/root.ts';
import { compareRuns, formatUnit, type CompareRow, type Difference } from '../../models/runs/runs.ts';
import { WORDS } from '../../words/runs.ts';
import { Icon } from '../Icon.tsx';
import { RunHistograms } from './RunHistograms.tsx';
import { VerdictMark } from './VerdictMark.tsx';

const { compare: C, table: T } = WORDS;
const TONES = {
  better: 'good',
  worse: 'bad',
  same: 'unknown',
  differs: 'warn',
  incomparable: 'unknown',
  missing: 'unknown',
} as const;

/** Two runs, metric by metric. */
export function RunCompare({ base, now }: { base: RunDetail; now: RunDetail }) {
  const { work, machine, rows } = compareRuns(base, now);
  return (
    <>
      <h1>{C.title}</h1>
      <dl class="facts">
        {[[C.base, base] as const, [C.now, now] as const].map(([name, run]) => (
          <>
            <dt>{name}</dt>
            <dd>
              <a href={here(`/runs/${run.id}`)}>{C.of(run.scenario, formatMoment(run.startedAt))}</a>{' '}
              <VerdictMark verdict={run.verdict} /> <code>{run.commit.slice(0, 9)}</code>
            </dd>
          </>
        ))}
      </dl>
      <Differences title={C.incomparable} found={work} kind="work" />
      {work.length === 0 && <Differences title={C.timesIncomparable} found={machine} kind="machine" />}
      {work.length === 0 && <p class="faint">{C.oneEach}</p>}
      <div class="table-frame" tabIndex={0} role="region" aria-label={C.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{T.metric}</th>
              <th scope="col" class="numeric">
                {C.base}
              </th>
              <th scope="col" class="numeric">
                {C.now}
              </th>
              <th scope="col" class="numeric">
                {C.ratio}
              </th>
              <th scope="col" class="numeric">
                {C.noise}
              </th>
              <th scope="col" class="numeric">
                {T.limit}
              </th>
              <th scope="col">{T.verdict}</th>
              <th scope="col">{C.change}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="faint">{C.noiseNote}</p>
      {work.length === 0 && <RunHistograms base={base} now={now} />}
    </>
  );
}

function Row({ row }: { row: CompareRow }) {
  const tone = TONES[row.change];
  return (
    <tr data-metric={row.name} data-change={row.change}>
      <td>{row.name}</td>
      <td class="numeric">{formatUnit(row.base, row.unit)}</td>
      <td class="numeric">{formatUnit(row.now, row.unit)}</td>
      <td class="numeric">{row.ratio === null ? '–' : formatRatio(row.ratio)}</td>
      <td class="numeric">{row.noise === null ? '–' : C.noiseOf(formatPercent(row.noise))}</td>
      <td class="numeric">{row.limit}</td>
      <td>
        <VerdictMark verdict={row.verdict} />
      </td>
      <td>
        <span class={`verdict-mark verdict-mark-${tone}`}>
          <Icon name={tone} size={12} /> {C.words[row.change]}
        </span>
      </td>
    </tr>
  );
}

function Differences({ title, found, kind }: { title: string; found: readonly Difference[]; kind: string }) {
  if (found.length === 0) return null;
  return (
    <div class="notice notice-warn" data-differs={kind}>
      <p>{title}</p>
      <ul class="notes">
        {found.map(({ name, base, now }) => (
          <li key={name}>{C.differs(name, base, now)}</li>
        ))}
      </ul>
    </div>
  );
}
