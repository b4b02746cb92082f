import type { ResultFile } from '../contract.ts';
import { adviceOf } from './advice.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatValue } from './format.ts';
import { escapeMarkdown, table } from './markdown-table.ts';

const TARGETS = ['budget', 'now', 'target', 'gap'];
const NOTHING = 'Nothing: every budget held with a fifth of it to spare.';

/** How every report ends: what to do. */
export function adviceSection(result: ResultFile): string {
  const { targets, bottlenecks, steps } = adviceOf(result);
  const rows = targets.map(
    ({ name, now, target, gap }) =>
      `<tr><td><code>${esc(name)}</code></td><td class="r">${esc(now)}</td><td class="r">${esc(target)}</td><td class="r">${esc(gap)}</td></tr>`,
  );
  const head = TARGETS.map((text, at) => `<th${at > 0 ? ' class="r"' : ''}>${text}</th>`).join('');
  return `<section><h2>What to do</h2>
${steps.length === 0 ? `<p>${NOTHING}</p>` : `<ol>${steps.map(({ what, gain }) => `<li>${esc(what)} <span class="soft">(${esc(gain)})</span></li>`).join('')}</ol>`}
${rows.length === 0 ? '' : `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`}
${bottlenecks.length === 0 ? '' : `<p class="soft">CPU time of an image: ${bottlenecks.map(({ stage, share }) => `${esc(stage)} ${formatValue(share, 'ratio')}`).join(', ')}.</p>`}</section>`;
}

export function adviceMarkdown(result: ResultFile): string[] {
  const { targets, bottlenecks, steps } = adviceOf(result);
  return [
    '### What to do',
    '',
    ...(steps.length === 0
      ? [NOTHING]
      : steps.map(({ what, gain }, at) => `${at + 1}. ${escapeMarkdown(what)} (${escapeMarkdown(gain)})`)),
    '',
    ...(targets.length === 0
      ? []
      : [
          ...table(
            TARGETS,
            targets.map(({ name, now, target, gap }) => [`\`${name}\``, now, target, gap]),
          ),
          '',
        ]),
    ...(bottlenecks.length === 0
      ? []
      : [
          `CPU time of an image: ${bottlenecks.map(({ stage, share }) => `${stage} ${formatValue(share, 'ratio')}`).join(', ')}.`,
          '',
        ]),
  ];
}
