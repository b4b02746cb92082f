import type { ResultFile } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import {
  MARKS,
  durationMs,
  formatActual,
  formatBytes,
  formatCount,
  formatLimit,
  formatMs,
  formatValue,
} from './format.ts';
import { ALL_BUDGETS } from '../../../scenarios/budgets.ts';
import { budgetMeter } from './budget-meter.ts';
import { spreadOfStages, waterfall } from './charts/stages.ts';
import { htmlTable } from './report-table.ts';
import { hasPage, rejectedLines } from './words.ts';

/** CSS knows no slash in a class. */
export const classOf = (verdict: string): string => verdict.replace('/', '-');

export function tiles(result: ResultFile): string {
  const { delivery, efficiency, client } = result;
  const accuracy = result.accuracy;
  if (!hasPage(result)) return scenarioTiles(result);
  const rows: [string, string][] = [
    [
      `${formatCount(delivery.terminalEventsReceived)} / ${formatCount(delivery.submitted)}`,
      'terminal events at the page',
    ],
    [formatMs(client.settleMs), 'settled after the burst'],
    [
      efficiency.imagesPerSecond === null ? '–' : `${efficiency.imagesPerSecond.toFixed(1)} /s`,
      'images through the whole path',
    ],
    [
      efficiency.cpuRatio === null ? '–' : `${Math.round(efficiency.cpuRatio * 100)} %`,
      'CPU spent on decode, run, polygons',
    ],
    ...(accuracy ? [[accuracy.ap50.toFixed(3), `AP at IoU 0.5, ${accuracy.dataset}`] as [string, string]] : []),
    [formatMs(durationMs(result.startedAt, result.finishedAt)), 'whole run'],
  ];
  return tilesOf(rows);
}

/** Of a scenario without a page: what it measured is in its budgets and tables. */
function scenarioTiles({ delivery, budgets, startedAt, finishedAt }: ResultFile): string {
  const held = budgets.filter(({ verdict }) => verdict === 'pass').length;
  const { completed, failed, submitted } = delivery;
  return tilesOf([
    [`${held} / ${budgets.length}`, 'budgets that held'],
    [`${formatCount(completed + failed)} / ${formatCount(submitted)}`, 'images that ended'],
    [formatMs(durationMs(startedAt, finishedAt)), 'whole run'],
  ]);
}

function tilesOf(rows: readonly [string, string][]): string {
  return `<div class="tiles">${rows.map(([value, label]) => `<div class="tile"><b>${esc(value)}</b><span>${esc(label)}</span></div>`).join('')}</div>`;
}

export function budgetTable(result: ResultFile): string {
  const rows = result.budgets.map((budget) => {
    const spec = ALL_BUDGETS.find(({ name }) => name === budget.name);
    const note = budget.note ? `<span class="note">${esc(budget.note)}</span>` : '';
    const repeats =
      budget.values.length > 1
        ? `<span class="why">of ${budget.values.map((v) => formatValue(v, budget.unit)).join(', ')}</span>`
        : '';
    return `<tr class="${classOf(budget.verdict)}">
<td class="name"><code>${budget.name}</code><span class="why" title="${esc(budget.source)}">${esc(spec?.description ?? budget.source)}</span>${note}</td>
<td class="r actual"><b>${esc(formatActual(budget))}</b>${repeats}</td><td class="r limit soft">${esc(formatLimit(budget))}</td>
<td class="use">${budgetMeter(budget)}</td><td class="verdict"><span class="badge">${MARKS[budget.verdict]} ${budget.verdict}</span></td></tr>`;
  });
  return `<table class="budgets"><thead><tr><th>budget</th><th class="r">actual</th><th class="r">limit</th><th>used, margin</th><th>verdict</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

export function stageSection({ stages }: Pick<ResultFile, 'stages'>): string {
  if (Object.keys(stages).length === 0) return '<p class="soft">No stage was measured.</p>';
  const ms = (name: string) => ({ name, unit: 'ms' as const });
  const table = htmlTable({
    columns: [{ name: 'stage' }, ...['p50', 'p95', 'p99', 'max', 'CPU/image'].map(ms), { name: 'n', unit: 'count' }],
    rows: Object.entries(stages).map(([name, stage]) => [
      name,
      ...[stage.p50Ms, stage.p95Ms, stage.p99Ms, stage.maxMs, stage.cpuMsPerImage].map(formatMs),
      stage.count,
    ]),
  });
  const flow = waterfall(stages);
  return `${flow === '' ? '' : `<h3>One after the other, at their medians</h3>${flow}`}<h3>Each for itself</h3>${spreadOfStages(stages)}${table}`;
}

export function clientSection({ client }: ResultFile): string {
  const calls = Object.entries(client.apiCalls)
    .toSorted(([, a], [, b]) => b - a)
    .map(([route, n]) => `<tr><td><code>${esc(route)}</code></td><td class="r">${formatCount(n)}</td></tr>`);
  const facts = definitions([
    ['settle, from the burst’s start', formatMs(client.settleFromStartMs)],
    ['settle of the batch itself', formatMs(client.batchSettleMs)],
    ['toast nodes', formatCount(client.toasts)],
    ['requests for results', `${formatCount(client.bulkCalls)} (${formatBytes(client.resultBytesWire)} on the wire)`],
    ['heap retained, peak', `${formatBytes(client.heapRetainedBytes)}, ${formatBytes(client.heapPeakBytes)}`],
    ['renderer (PSS)', formatBytes(client.rendererPssBytes)],
    ['DOM nodes, most', formatCount(client.domNodesMax)],
    ['long frames, blocking', `${formatCount(client.longFrames)}, ${formatMs(client.blockingMs)}`],
    ['frame p95, INP', `${formatMs(client.framesP95Ms)}, ${formatMs(client.inpMs)}`],
  ]);
  const table =
    calls.length > 0
      ? `<div class="scroll"><table><thead><tr><th>route</th><th class="r">calls</th></tr></thead><tbody>${calls.join('')}</tbody></table></div>`
      : '';
  return facts + table;
}

export const processTable = ({ process }: Pick<ResultFile, 'process'>): string =>
  htmlTable({
    columns: [{ name: 'process' }, { name: 'RSS, peak', unit: 'bytes' }, { name: 'CPU', unit: 'ms' }],
    rows: Object.entries(process).map(([role, { rssPeakBytes, cpuSeconds }]) => [
      role,
      rssPeakBytes,
      `${cpuSeconds.toFixed(1)} s`,
    ]),
  });

export function environmentSection({ environment: e, images, noise }: ResultFile): string {
  const share = (value: number | null | undefined): string => formatValue(value ?? null, 'ratio');
  return definitions([
    ['machine', `${e.cpuModel}, ${e.cores} cores, ${formatBytes(e.memoryBytes)}`],
    ['system', `${e.os}, Node ${e.node}`],
    ['servers', `PostgreSQL ${e.postgres}, Redis ${e.redis} (${e.provider})`],
    ['browser', e.browser],
    [
      'inference',
      `${e.inference.model} on ${e.inference.pool}/${e.inference.provider}, sha256 ${e.inference.modelSha256.slice(0, 12)}…`,
    ],
    [
      'images',
      `${formatCount(images.count)} (${images.source}), ${formatBytes(images.bytes)}, sha256 of the set ${images.sha256OfSet.slice(0, 12)}…`,
    ],
    ['waiting for a CPU', `${share(e.psiCpuSome)} of the time (the run’s own load included)`],
    ['CPU taken by others', share(noise?.foreignCpuShare)],
    ['lateness of the generator, p99', formatMs(noise?.generatorLagP99Ms ?? null)],
  ]);
}

export function baselineSection({ baseline }: ResultFile): string {
  if (!baseline) return '';
  const tone = { same: 'pass', better: 'pass', regression: 'fail', incomparable: 'not-run', reported: 'n-a' } as const;
  const rows = baseline.rows.map(
    (row) =>
      `<tr class="${tone[row.verdict]}"><td>${esc(row.metric)}</td><td class="r">${formatValue(row.base, row.unit)}</td><td class="r">${formatValue(row.now, row.unit)}</td><td class="r">${row.ratio === null ? '–' : row.ratio.toFixed(3)}</td><td><span class="badge">${row.verdict}</span></td></tr>`,
  );
  const notes = baseline.notes.map((note) => `<li>${esc(note)}</li>`).join('');
  if (!baseline.comparable)
    return `<section><h2>Against the baseline</h2><p class="soft">${esc(baseline.file)}</p><ul>${notes}</ul></section>`;
  return `<section><h2>Against the baseline</h2><p class="soft">${esc(baseline.file)}</p><ul>${notes}</ul><div class="scroll"><table><thead><tr><th>metric</th><th class="r">base</th><th class="r">now</th><th class="r">ratio</th><th>verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

export function notesSection(result: ResultFile): string {
  const notes = [...result.notes, ...result.environment.notes, ...rejectedLines(result)];
  if (notes.length === 0) return '';
  return `<section><h2>Notes</h2><ul>${notes.map((note) => `<li>${esc(note)}</li>`).join('')}</ul></section>`;
}

function definitions(rows: readonly [string, string][]): string {
  return `<dl>${rows.map(([term, text]) => `<dt>${esc(term)}</dt><dd class="num">${esc(text)}</dd>`).join('')}</dl>`;
}
