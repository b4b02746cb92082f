import { useRef } from 'preact/hooks';
import { formatCount } from '../models/format.ts';
import type { Uploads } from '../models/Uploads.ts';

const ACCEPT = 'image/png,image/jpeg,image/tiff,image/webp,.tif,.tiff';

export function UploadButton({ uploads, disabled }: { uploads: Uploads; disabled: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const { active, done, total } = uploads.state.value;
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        accept={ACCEPT}
        class="hidden-input"
        aria-label="Images to upload"
        tabIndex={-1}
        onChange={(event) => {
          void uploads.start([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
      <button type="button" disabled={active || disabled} onClick={() => input.current?.click()}>
        {active ? `Uploading ${formatCount(done)} of ${formatCount(total)}` : 'Upload images'}
      </button>
    </>
  );
}

/** Files that the service refused, by name; the others are in the gallery. */
export function UploadReport({ uploads }: { uploads: Uploads }) {
  const { rejected, active } = uploads.state.value;
  if (rejected.length === 0) return null;
  return (
    <section class="notice notice-bad upload-report" role="status">
      <p>
        {rejected.length === 1 ? 'One file was' : `${formatCount(rejected.length)} files were`} refused.
        <button type="button" class="quiet" disabled={active} onClick={() => uploads.clear()}>
          Dismiss
        </button>
      </p>
      <ul>
        {rejected.slice(0, 100).map(({ name, code, message }, i) => (
          <li key={i}>
            <b>{name}</b>: {message} <code>{code}</code>
          </li>
        ))}
      </ul>
      {rejected.length > 100 && <p>and {formatCount(rejected.length - 100)} more.</p>}
    </section>
  );
}
