import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { batchNote, batchWords, type ExportChoice } from '../../models/gallery/ExportChoice.ts';
import { createExports, fileOf, type Exports } from '../../models/gallery/Exports.ts';
import { exportWords, FORMATS, type ExportRow } from '../../models/gallery/export-rows.ts';
import { terminalOf, isOver } from '../../models/Batches.ts';
import { saveAddress } from '../../models/gallery/save-address.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/exports.ts';
import { Icon } from '../Icon.tsx';
import { focusMenu } from '../Menu.tsx';
import '../../styles/exports.css';

export const startExports = (deps: Omit<Parameters<typeof createExports>[0], 'save'>): Exports =>
  createExports({ ...deps, save: saveAddress });

/** Which batch, in which format, and what was asked for so far. */
export function ExportPanel({ exports }: { exports: Exports }) {
  useEffect(() => exports.choice.look(), [exports]);
  return (
    <div class="exports">
      <Offer exports={exports} />
      <Rows exports={exports} />
    </div>
  );
}

function Offer({ exports }: { exports: Exports }) {
  const { choice } = exports;
  const refused = choice.refused.value;
  const error = choice.error.value;
  const all = choice.all.value;
  if (refused)
    return (
      <p class="notice notice-warn" data-needs-read>
        {WORDS.needsRead(refused.name, refused.scopes.join(', '))}
      </p>
    );
  return (
    <>
      {error && (
        <p class="notice notice-bad" role="alert">
          {WORDS.notRead(error)}{' '}
          <button type="button" class="quiet" onClick={() => void choice.read()}>
            {COMMON.tryAgain}
          </button>
        </p>
      )}
      {all === null && !error && <p class="faint">{WORDS.loading}</p>}
      {all?.length === 0 && <Nothing choice={choice} />}
      {all && all.length > 0 && <Formats exports={exports} />}
    </>
  );
}

function Nothing({ choice }: { choice: ExportChoice }) {
  return (
    <div data-nothing>
      <h2>{WORDS.nothing.title}</h2>
      <p>{choice.imageCount() === 0 ? WORDS.nothing.noImages : WORDS.nothing.noBatch}</p>
    </div>
  );
}

function Formats({ exports }: { exports: Exports }) {
  const { choice } = exports;
  const all = choice.all.value!;
  const batch = choice.batch.value ?? all[0]!;
  const note = batchNote(batch);
  const empty = !isOver(batch) && terminalOf(batch.counts) === 0;
  const words = all.map((each) => batchWords(each, choice.imageCount()));
  return (
    <>
      {all.length === 1 ? (
        <p data-batch={batch.id}>{words[0]}</p>
      ) : (
        <select aria-label={WORDS.batch} value={batch.id} onChange={(event) => choice.pick(event.currentTarget.value)}>
          {all.map(({ id }, i) => (
            <option key={id} value={id}>
              {words[i]}
            </option>
          ))}
        </select>
      )}
      {note && <p class="faint">{note}</p>}
      <ul class="menu-items" aria-label={WORDS.formats}>
        {FORMATS.map((format) => (
          <li key={format}>
            <button
              type="button"
              class="quiet"
              data-export={format}
              disabled={empty}
              onClick={() => void exports.ask(batch.id, format)}
            >
              <b>{WORDS.format[format].name}</b>
              <span class="faint">{WORDS.format[format].what}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Rows({ exports }: { exports: Exports }) {
  const rows = exports.rows.value;
  const lost = exports.lost.value;
  if (rows.length === 0) return null;
  return (
    <>
      {lost && <p class="notice notice-warn">{WORDS.lost(lost)}</p>}
      <ul class="exports-rows" aria-label={WORDS.rows}>
        {rows.toReversed().map((row) => (
          <Row key={row.key} row={row} exports={exports} />
        ))}
      </ul>
    </>
  );
}

function Row({ row, exports }: { row: ExportRow; exports: Exports }) {
  const { key, format, state, progress, batchId, id } = row;
  const { name } = WORDS.format[format];
  const about = exports.choice.about(batchId);
  const over = state === 'ready' || state === 'failed';
  const item = useRef<HTMLLIElement>(null);
  // On a small screen it stands below what can be seen of the panel.
  useLayoutEffect(() => {
    if (state === 'asked') item.current?.scrollIntoView({ block: 'nearest' });
  }, [state]);
  return (
    <li ref={item} data-export-row={format} data-state={state}>
      <span class="exports-words">
        {exportWords(row)}
        {about && <small class="faint">{about}</small>}
      </span>
      {state === 'ready' && (
        <a href={fileOf(id!)} download aria-label={WORDS.downloadOf(name)}>
          {WORDS.download}
        </a>
      )}
      {state === 'failed' && (
        <button
          type="button"
          aria-label={WORDS.tryAgainOf(name)}
          onClick={({ currentTarget }) => {
            focusMenu(currentTarget);
            void exports.retry(row);
          }}
        >
          {COMMON.tryAgain}
        </button>
      )}
      {over ? (
        <button
          type="button"
          class="quiet"
          aria-label={WORDS.forget(name)}
          onClick={({ currentTarget }) => {
            focusMenu(currentTarget);
            exports.forget(key);
          }}
        >
          <Icon name="close" />
        </button>
      ) : (
        <progress value={progress} aria-label={name} />
      )}
    </li>
  );
}
