import { useRef } from 'preact/hooks';
import { fromFiles, fromFolder, type Chosen } from '../../models/gallery/upload-files.ts';
import type { Uploads } from '../../models/gallery/Uploads.ts';
import { WORDS } from '../../words/gallery.ts';

const ACCEPT = 'image/png,image/jpeg,image/tiff,image/webp,.tif,.tiff';

/** Files one by one, or a folder with all that is in it. More may be added while some are on their way. */
export function UploadButtons({ uploads, disabled }: { uploads: Uploads; disabled: boolean }) {
  return (
    <span class="upload-buttons">
      <Picker
        label={WORDS.uploads.images}
        disabled={disabled}
        accept={ACCEPT}
        onFiles={(files) => uploads.add(fromFiles(files))}
      />
      <Picker
        label={WORDS.uploads.folder}
        disabled={disabled}
        folder
        onFiles={(files) => uploads.add(ofFolder(files))}
      />
    </span>
  );
}

const ofFolder = (files: File[]): Chosen =>
  fromFolder(files.map((file) => ({ file, path: file.webkitRelativePath || file.name })));

function Picker(props: {
  label: string;
  disabled: boolean;
  accept?: string;
  folder?: boolean;
  onFiles: (files: File[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        {...(props.accept ? { accept: props.accept } : {})}
        {...(props.folder ? { webkitdirectory: true } : {})}
        class="hidden-input"
        aria-label={props.label}
        aria-hidden="true"
        tabIndex={-1}
        onChange={(event) => {
          props.onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
      <button type="button" disabled={props.disabled} onClick={() => input.current?.click()}>
        {props.label}
      </button>
    </>
  );
}
