import { escapeMarkup as esc } from './escape.ts';
import { STYLE } from './html-style.ts';
import { formatFigure } from './plan-format.ts';
import { planPlots, planTables, sourceTable, type WrittenPlan } from './plan-tables.ts';
import { plotSections, tableSections } from './scenario-sections.ts';

const MARKS: Readonly<Record<WrittenPlan['verdict'], { mark: string; tone: string }>> = {
  answered: { mark: '✓', tone: 'pass' },
  impossible: { mark: '✗', tone: 'fail' },
  illustrative: { mark: '?', tone: 'inconclusive' },
};

/** `plan.html`: one file that needs nothing else, the answer first. */
export function planHtml(plan: WrittenPlan): string {
  const { mark, tone } = MARKS[plan.verdict];
  const [first = '', ...rest] = plan.words;
  const tiles = [
    [formatFigure(plan.workers), 'workers'],
    [formatFigure(plan.tookMs), 'time'],
    ...(plan.cost ? [[formatFigure(plan.cost.perThousand, plan.cost.currency), 'per 1,000 images']] : []),
    [plan.stages[0]?.stage ?? '–', 'binds'],
    [formatFigure(plan.knee), 'workers at the knee'],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Capacity: ${esc(plan.question.images.toLocaleString('en-US'))} images</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Capacity <small>${plan.ground.simulated ? 'simulated workers · ' : ''}${esc(plan.ground.what)} · ${esc(plan.madeAt.slice(0, 16).replace('T', ' '))} UTC</small></h1>
<section class="banner ${tone}"><span class="mark" aria-hidden="true">${mark}</span><div><strong>${esc(plan.verdict)}</strong><p>${esc(first)}</p></div></section>
<div class="tiles">${tiles.map(([value = '', label = '']) => `<div class="tile"><b>${esc(value)}</b><span>${esc(label)}</span></div>`).join('')}</div>
${rest.length > 0 ? `<section>${rest.map((text) => `<p>${esc(text)}</p>`).join('')}</section>` : ''}
${plotSections({ plots: planPlots(plan) })}
${tableSections({ tables: [...planTables(plan), sourceTable(plan)] })}
<footer>${esc(plan.tool.name)} ${esc(plan.tool.version)}, commit ${esc(plan.tool.commit)} · from ${esc(plan.ground.file)} · seed ${plan.question.seed}</footer>
</main>
</body>
</html>
`;
}
