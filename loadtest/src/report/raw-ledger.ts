import type { ResultFile } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatBytes } from './format.ts';

/** Of the link that holds the file, base64. */
export const RAW_ELEMENT = 'raw-ledger';

/** What the verdict can be found again from: carried by the page where there is room, else named. */
export function rawLedgerSection({ rawLedger }: Pick<ResultFile, 'rawLedger'>, bytes: Uint8Array | undefined): string {
  if (!rawLedger) return '';
  const { file, sha256, bytes: size } = rawLedger;
  const base64 = bytes && Buffer.from(bytes).toString('base64');
  const where = base64
    ? `This page carries it: <a id="${RAW_ELEMENT}" download="proof.ndjson.gz" href="data:application/gzip;base64,${base64}">proof.ndjson.gz</a>. Anybody can judge it again: <code>npm run -s bench -- --rejudge report.html</code>.`
    : `It stands beside this page, in ${esc(file)}. Anybody who has it can judge it again: <code>npm run -s bench -- --rejudge ${esc(file)}</code>.`;
  return `<section><h2>Raw ledger</h2><p>Every answer and every event as it came, ${formatBytes(size)}, sha256 <code>${sha256}</code>. ${where}</p></section>`;
}

/** The file that a page carries. @throws RangeError when it carries none */
export function rawLedgerIn(html: string): Buffer {
  const found = new RegExp(`<a id="${RAW_ELEMENT}"[^>]* href="data:application/gzip;base64,([^"]*)"`).exec(html)?.[1];
  if (found === undefined) throw new RangeError('the page carries no raw ledger');
  return Buffer.from(found, 'base64');
}
