import type { JudgedBudget, ResultFile } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { budgetUse, formatMs } from './format.ts';

/** Where the limit stands on a budget's bar, per cent: the rest shows by how much it was crossed. */
const LIMIT_AT = 80;

/** A bar in a unit-less picture 100 wide, stretched to its cell; text beside it stays text. */
function track(shapes: string, label: string): string {
  return `<svg class="track" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${esc(label)}">${shapes}</svg>`;
}

function box(className: string, from: number, to: number): string {
  const x = Math.max(0, Math.min(100, from));
  const width = Math.max(0.6, Math.min(100, to) - x);
  return `<rect class="${className}" x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10"/>`;
}

/** How much of a budget is used up; the line is the limit. Empty for `=` and for what was not measured. */
export function budgetBar(budget: JudgedBudget): string {
  const use = budgetUse(budget);
  if (use === null) return '';
  const beyond = budget.operator.startsWith('<') ? 'the limit' : 'short of it';
  const words = use > 1.005 ? `${use > 10 ? Math.round(use) : use.toFixed(2)}× ${beyond}` : `${shareText(use)} used`;
  const edge = `<line class="edge" x1="${LIMIT_AT}" x2="${LIMIT_AT}" y1="0" y2="10"/>`;
  return `${track(box('bar', 0, Math.min(100, use * LIMIT_AT)) + edge, words)}<small>${words}</small>`;
}

function shareText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 1) return 'under 1 %';
  if (percent > 100) return 'just over 100 %';
  // 99.96 % must not read as the limit itself.
  return `${percent > 99 && percent < 100 ? '> 99' : percent.toFixed(0)} %`;
}

/** Phases one below the other on the run's own time axis. */
export function phasesChart(result: ResultFile): string {
  const { phases } = result;
  if (phases.length === 0) return '<p class="soft">No phase was reached.</p>';
  const starts = phases.map((phase) => Date.parse(phase.startedAt));
  const origin = Math.min(...starts);
  const span = Math.max(1, ...phases.map((phase, at) => (starts[at] ?? origin) + phase.durationMs - origin));
  const rows = phases.map((phase, at) => {
    const from = (((starts[at] ?? origin) - origin) / span) * 100;
    const bar = box('solid', from, from + (phase.durationMs / span) * 100);
    const label = `${phase.name}: ${formatMs(phase.durationMs)}`;
    return `<span>${esc(phase.name)}</span>${track(bar, label)}<span class="num">${formatMs(phase.durationMs)}</span>`;
  });
  return `<div class="rows">${rows.join('')}</div>`;
}

/** What an image goes through, one stage after the other at their medians: light to each stage's p95, a line at its p99. */
export function waterfall(stages: ResultFile['stages'], names: readonly string[]): string {
  const shown = names.flatMap((name) => (stages[name] ? [{ name, stage: stages[name] }] : []));
  const total = shown.reduce((sum, { stage }) => sum + stage.p50Ms, 0);
  if (total === 0) return '';
  let from = 0;
  const rows = shown.map(({ name, stage }) => {
    const at = (ms: number): number => ((from + ms) / total) * 100;
    const line = Math.min(99.5, at(stage.p99Ms)).toFixed(2);
    const shapes = `${box('light', at(0), at(stage.p95Ms))}${box('solid', at(0), at(stage.p50Ms))}<line class="dot" x1="${line}" x2="${line}" y1="0" y2="10"/>`;
    const words = `p50 ${formatMs(stage.p50Ms)}, p95 ${formatMs(stage.p95Ms)}, p99 ${formatMs(stage.p99Ms)}`;
    const row = `<span>${esc(name)}</span>${track(shapes, `${name}: ${words}`)}<span class="num">${formatMs(stage.p50Ms)}</span>`;
    from += stage.p50Ms;
    return row;
  });
  return `<div class="rows">${rows.join('')}</div>`;
}

/** Per stage on one logarithmic axis: solid from the fastest decade to p50, light to p95, a line at the slowest. */
export function stageTrack(stage: ResultFile['stages'][string], axis: { min: number; max: number }): string {
  const at = (ms: number): number =>
    (Math.log10(Math.max(ms, axis.min) / axis.min) / Math.max(1e-9, Math.log10(axis.max / axis.min))) * 100;
  const x = Math.min(99.5, at(stage.maxMs)).toFixed(2);
  const shapes = `${box('light', 0, at(stage.p95Ms))}${box('solid', 0, at(stage.p50Ms))}<line class="dot" x1="${x}" x2="${x}" y1="0" y2="10"/>`;
  return track(shapes, `p50 ${formatMs(stage.p50Ms)}, p95 ${formatMs(stage.p95Ms)}, max ${formatMs(stage.maxMs)}`);
}

/** Whole decades around all stages, so that the bars of one report can be compared. */
export function stageAxis(stages: ResultFile['stages']): { min: number; max: number } {
  const values = Object.values(stages)
    .flatMap((stage) => [stage.p50Ms, stage.maxMs])
    .filter((ms) => ms > 0);
  if (values.length === 0) return { min: 0.1, max: 1 };
  return {
    min: 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.01),
    max: 10 ** Math.ceil(Math.log10(Math.max(...values))),
  };
}
