import type { ReportTable, ResultFile } from '../contract.ts';
import { LATE_MS } from '../measure/ledger.ts';
import { hasPage } from './words.ts';

const COLUMNS = ['sent', 'stored', 'ended', 'told', 'shown', 'missing', 'twice', 'late'];

/** The ledger of a run with a page, added up; null where no image went through. A scenario without a page has a table of its own. */
export function ledgerTable(result: ResultFile): (ReportTable & { note: string }) | null {
  const { submitted, completed, failed, terminalEventsReceived, missing, duplicates, ...seen } = result.delivery;
  if (submitted === 0 || !hasPage(result)) return null;
  const { stored = null, shown = null, late = null } = seen;
  const sent = submitted + result.images.rejected.length;
  return {
    title: 'The ledger',
    note: `Images: files sent; rows in the database; completed or failed with a code; ends that the page was told; cells that show that end. At the end what must be 0: images that some place says otherwise of, ends told more than once, ends told more than ${LATE_MS / 1000} s after the row had it. A dash: nobody looked.`,
    columns: COLUMNS.map((name) => ({ name, unit: 'count' })),
    rows: [[sent, stored, completed + failed, terminalEventsReceived, shown, missing, duplicates, late]],
  };
}
