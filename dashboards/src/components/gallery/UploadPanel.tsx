import { useEffect } from 'preact/hooks';
import { formatBytes, formatCount } from '../../models/format.ts';
import { uploadWords, type UploadRow, type Uploads, type UploadState } from '../../models/gallery/Uploads.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.uploads;

/** Refused files that are listed by name; the others are counted. */
const LISTED = 100;

/** What is on its way, file by file; what could not be sent; what was refused, and why. Absent while there is nothing to tell. */
export function UploadPanel({ uploads }: { uploads: Uploads }) {
  const state = uploads.state.value;
  // Closing the page would lose the files that are still to go: only the person can choose them again.
  useEffect(() => {
    if (!state.active) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [state.active]);
  if (state.total === 0) return null;
  return (
    <section class="uploads" aria-label={W.label} data-uploads={state.active ? 'active' : 'over'}>
      <div class="uploads-head">
        <progress max={Math.max(1, state.totalBytes)} value={state.sentBytes} aria-label={W.all} />
        <span class="uploads-words">{uploadWords(state)}</span>
        {state.active ? (
          <button type="button" onClick={() => uploads.stop()}>
            {W.stop}
          </button>
        ) : (
          <button type="button" onClick={() => uploads.clear()}>
            {W.dismiss}
          </button>
        )}
      </div>
      {state.waiting && <p class="uploads-waiting">{W.waiting(state.waiting)}</p>}
      {state.failed > 0 && <NotSent uploads={uploads} state={state} />}
      {state.rows.length > 0 && (
        <ul class="uploads-rows">
          {state.rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </ul>
      )}
      {state.refused.length > 0 && <Refused state={state} />}
    </section>
  );
}

function Row({ row: { name, sizeBytes, sentBytes } }: { row: UploadRow }) {
  return (
    <li data-upload-row>
      <span class="uploads-name" title={name}>
        {name}
      </span>
      <progress max={Math.max(1, sizeBytes)} value={sentBytes} aria-label={name} />
      <span class="uploads-size">
        {sentBytes < sizeBytes ? W.sent(formatBytes(sentBytes), formatBytes(sizeBytes)) : W.checked}
      </span>
    </li>
  );
}

function NotSent({ uploads, state }: { uploads: Uploads; state: UploadState }) {
  return (
    <p class="notice notice-bad uploads-failed" role="alert">
      <span>{W.notSent(WORDS.files(state.failed), state.failure)}</span>
      <button type="button" data-action="retry-upload" onClick={() => uploads.retry()}>
        {COMMON.tryAgain}
      </button>
    </p>
  );
}

function Refused({ state: { refused } }: { state: UploadState }) {
  const { length } = refused;
  return (
    <details class="notice notice-bad uploads-refused" open>
      <summary>{W.refused(WORDS.files(length))}</summary>
      {/* Scrolls by itself, so it must be reachable without a mouse. */}
      <ul tabIndex={0} aria-label={W.refusedLabel}>
        {refused.slice(0, LISTED).map(({ name, code, message }, i) => (
          <li key={i}>
            <b>{name}</b>: {message} <code>{code}</code>
          </li>
        ))}
        {length > LISTED && <li>{W.more(formatCount(length - LISTED))}</li>}
      </ul>
    </details>
  );
}
