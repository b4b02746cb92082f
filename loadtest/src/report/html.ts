import type { ResultFile } from '../contract.ts';
import { adviceSection } from './advice-section.ts';
import { escapeMarkup as esc } from './escape.ts';
import { historySection } from './history.ts';
import { MARKS, imageWord } from './format.ts';
import { phasesChart } from './charts/phases.ts';
import {
  baselineSection,
  budgetTable,
  classOf,
  clientSection,
  environmentSection,
  notesSection,
  processTable,
  stageSection,
  tiles,
} from './html-sections.ts';
import { STYLE } from './html-style.ts';
import { ledgerTable } from './ledger.ts';
import { ratchetSection } from './ratchet.ts';
import { rawLedgerSection } from './raw-ledger.ts';
import { htmlTable } from './report-table.ts';
import { plotSections, tableSections } from './scenario-sections.ts';
import { withoutSection } from './without.ts';
import { hasPage, proofSentences, verdictSentence } from './words.ts';

/**
 * `report.html`: one file that needs nothing else, verdict first.
 * @param more the file of `result.rawLedger`, to be carried along, and earlier results of the same work
 */
export function htmlReport(
  result: ResultFile,
  { rawLedger, before = [] }: { rawLedger?: Uint8Array | undefined; before?: readonly ResultFile[] } = {},
): string {
  const { verdict, scenario, clientMode, images, seed, tool } = result;
  const proof = proofSentences(result);
  const ledger = ledgerTable(result);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${MARKS[verdict]} ${esc(scenario)}: ${verdict}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${esc(scenario)} <small>${esc(clientMode)} client ·${result.environment.inference.provider === 'simulated' ? ' simulated inference ·' : ''} ${images.count.toLocaleString('en-US')} ${imageWord(images.count)} · seed ${seed} · ${esc(result.startedAt.slice(0, 16).replace('T', ' '))} UTC</small></h1>
<section class="banner ${classOf(verdict)}"><span class="mark" aria-hidden="true">${MARKS[verdict]}</span><div><strong>${verdict}</strong><p>${esc(verdictSentence(result))}</p></div></section>
${result.compare ? '' : tiles(result)}
${proof.length > 0 ? `<section><h2>From upload to pixel</h2>${proof.map((text) => `<p>${esc(text)}</p>`).join('')}${ledger ? `${htmlTable(ledger)}<p class="soft">${esc(ledger.note)}</p>` : ''}</section>` : ''}
${result.compare ? '' : `<section><h2>Budgets</h2>${budgetTable(result)}</section>`}
${baselineSection(result)}
${ratchetSection(result)}
${withoutSection(result)}
${tableSections(result)}
${plotSections(result)}
${historySection(result, before)}
${
  result.compare
    ? ''
    : `<section><h2>Phases</h2>${phasesChart(result)}</section>
<section><h2>Stages of an image</h2>${stageSection(result)}</section>`
}
<div class="two">
${hasPage(result) ? `<section><h2>Page</h2>${clientSection(result)}</section>` : ''}
${result.compare ? '' : `<section><h2>Processes</h2>${processTable(result)}</section>`}
</div>
<section><h2>Environment</h2>${environmentSection(result)}</section>
${notesSection(result)}
${rawLedgerSection(result, rawLedger)}
${adviceSection(result)}
<footer>${esc(tool.name)} ${esc(tool.version)}, commit ${esc(tool.commit)} · ${esc(result.startedAt)} to ${esc(result.finishedAt)}</footer>
</main>
</body>
</html>
`;
}
