import type { Accuracy, ResultFile } from '../contract.ts';
import { formatCount, formatMs } from './format.ts';

/** What the verdict means, in one sentence that can stand alone. */
export function verdictSentence(result: ResultFile): string {
  const names = (...verdicts: string[]): string[] =>
    result.budgets.filter((budget) => verdicts.includes(budget.verdict)).map((budget) => budget.name);
  const counted = result.budgets.length - names('n/a').length;
  if (result.compare && !result.stopped) return result.compare.words[0] ?? '';
  switch (result.verdict) {
    case 'pass':
      return names('n/a').length === 0
        ? `All ${counted} budgets held.`
        : `All ${counted} budgets that apply held; ${names('n/a').length} do not apply to this run.`;
    case 'fail':
      return `${names('fail').length} of ${counted} budgets failed: ${names('fail').join(', ')}.`;
    case 'regression': {
      const isWorse = ({ verdict }: { verdict: string }): boolean => verdict === 'regression';
      const worse = result.baseline?.rows.filter(isWorse).map((row) => row.metric) ?? [];
      const grown = result.ratchet?.rows.filter(isWorse).map((row) => row.name) ?? [];
      const parts = [
        ...(worse.length > 0 ? [`worse than the baseline: ${worse.join(', ')}`] : []),
        ...(grown.length > 0 ? [`above what is committed: ${grown.join(', ')}`] : []),
      ];
      return `Every budget held, but ${parts.join('; ')}.`;
    }
    case 'inconclusive': {
      const open = names('not-run', 'inconclusive');
      return open.length > 0
        ? `Nothing failed, but ${open.length} of ${counted} budgets could not be judged: ${open.join(', ')}.`
        : `Nothing failed, but the run proves nothing: ${result.notes[0] ?? result.baseline?.notes[0] ?? 'no budget was measured'}.`;
    }
    case 'error':
      return `The environment was lost: ${result.stopped?.message ?? 'no cause recorded'}.`;
    case 'interrupted':
      return `Interrupted before the end; what was measured until then is below.`;
  }
}

/** Null for a run with a model. */
const simulatedSentence = ({ environment: { inference } }: ResultFile): string | null =>
  inference.provider === 'simulated'
    ? `Simulated: no model ran. Times of inference are those of the profile in ${inference.pool}, results stand for none of these images.`
    : null;

/** Whether the scenario has a page to measure; a service that is not ours has none, and then `browser` is `none`. */
export const hasPage = ({ budgets, environment }: Pick<ResultFile, 'budgets' | 'environment'>): boolean =>
  budgets.some(({ name }) => name === 'ui_settle_ms') && environment.browser !== 'none';

/** The delivery proof: what went in, what came out, how often, and in what order. */
function deliverySentence(result: ResultFile): string {
  const { submitted, completed, failed, duplicates, missing, sequenceGaps, terminalEventsReceived } = result.delivery;
  const who = hasPage(result) ? 'page' : 'client';
  const ended = `${formatCount(completed + failed)} of ${formatCount(submitted)} images ended (${formatCount(completed)} completed, ${formatCount(failed)} failed with a code)`;
  if (submitted === 0)
    return result.stopped
      ? 'No image was submitted, so nothing was delivered.'
      : 'No image goes through the queue in this scenario.';
  if (!hasPage(result) && terminalEventsReceived === 0)
    return `${ended}. Their events were not followed in this scenario.`;
  if (result.stopped && missing === 0)
    return `${ended}. The run ended early: what the ${who} was still to be told is not known.`;
  if (missing === 0 && duplicates === 0 && sequenceGaps === 0) {
    return `${ended}. The ${who} was told of each exactly once: none missing, none twice, no gap in the numbering.`;
  }
  return `${ended}. At the ${who} ${formatCount(missing)} were missing and ${formatCount(duplicates)} came twice; ${formatCount(sequenceGaps)} gaps in the numbering.`;
}

function efficiencySentence({ efficiency }: ResultFile): string | null {
  const { cpuRatio, imagesPerSecond, rawImagesPerSecond } = efficiency;
  if (cpuRatio === null) return null;
  const rate =
    imagesPerSecond === null || rawImagesPerSecond === null
      ? ''
      : ` ${imagesPerSecond.toFixed(1)} images/s came through the whole path, ${rawImagesPerSecond.toFixed(1)} through the bare loop.`;
  return `Of each CPU second that the service spent on the batch, ${Math.round(cpuRatio * 100)} % is what a bare decode, run and polygons loop would have needed.${rate}`;
}

function accuracySentence(accuracy: Accuracy): string {
  const { dataset, split, images, ap50, ap75, meanIoU, countErrorRatio } = accuracy;
  const where = `${formatCount(images)} labelled images of ${dataset}${split ? `, split ${split}` : ''}`;
  return `Against ${where}: AP ${ap50.toFixed(3)} at IoU 0.5, ${ap75.toFixed(3)} at 0.75, mean IoU ${meanIoU.toFixed(3)}, median count error ${(countErrorRatio * 100).toFixed(1)} %.`;
}

/** Null where no page was to be measured. */
function settleSentence(result: ResultFile): string | null {
  const { client } = result;
  if (!hasPage(result)) return null;
  if (client.settleMs === null) return 'The page’s settling after the burst was not measured.';
  const batches = client.apiCalls['POST /api/projects/:id/batches'];
  const toasts = `${formatCount(client.toasts)} toast nodes ever created${batches === undefined ? '' : ` for ${formatCount(batches)} ${batches === 1 ? 'batch' : 'batches'}`}`;
  return `After the completion burst’s last frame the page took ${formatMs(client.settleMs)} to show the final state, with ${toasts} and ${formatCount(client.bulkCalls)} requests for results.`;
}

/** As many rejected files as a person reads; `result.json` has them all. */
const MOST_REJECTED = 50;

/** The files that the run left out, each by name with its code. */
export function rejectedLines({ images }: ResultFile): string[] {
  const shown = images.rejected
    .slice(0, MOST_REJECTED)
    .map(({ name, code, message }) => `rejected ${name}: ${code}, ${message}`);
  const more = images.rejected.length - shown.length;
  return more > 0 ? [...shown, `and ${formatCount(more)} more rejected files, in result.json`] : shown;
}

/** What a run showed, a sentence each, in the order of every report. */
export const proofSentences = (result: ResultFile): string[] =>
  [
    simulatedSentence(result),
    result.compare ? null : deliverySentence(result),
    settleSentence(result),
    efficiencySentence(result),
    result.accuracy && accuracySentence(result.accuracy),
  ].filter((text) => text !== null);
