import { addressOf } from '#contract/client.ts';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Image } from '#contract/images.ts';
import type { Api } from '../models/api.ts';
import { IMAGE_EXPORTS, textOf, type ImageExport } from '../models/export-image.ts';
import type { Viewer } from '../models/Viewer.ts';
import { here } from '../models/root.ts';
import { saveFile } from '../models/viewer-deps.ts';
import { WORDS } from '../words/viewer.ts';

const W = WORDS.export;

const FORMATS = Object.keys(IMAGE_EXPORTS) as ImageExport[];

/** Files of this image: its bytes, its result, and the mask. Those of whole batches are made by the service. */
export function ExportMenu({ api, viewer, image }: { api: Api; viewer: Viewer; image: Image }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const busy = useSignal(false);
  const hasResult = viewer.facts.value !== null;
  const { id, name } = image;
  const stem = name.replace(/\.[^.]+$/, '');
  useEffect(() => {
    const close = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !menu.current?.contains(event.target as Node))
        menu.current?.removeAttribute('open');
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, []);
  async function save(format: ImageExport): Promise<void> {
    busy.value = true;
    try {
      const result = await api.call('GET /api/images/{id}/segmentation', { path: { id } });
      const { extension, type } = IMAGE_EXPORTS[format];
      const text = textOf(format, image, result, viewer.pixelSizeUm.peek());
      saveFile(`${stem}.${extension}`, new Blob([text], { type }));
      menu.current?.removeAttribute('open');
    } catch (cause) {
      viewer.tell(cause);
    } finally {
      busy.value = false;
    }
  }
  return (
    <details class="view-export" ref={menu}>
      <summary>{W.label}</summary>
      <ul>
        {hasResult &&
          FORMATS.map((format) => (
            <li key={format}>
              <button
                type="button"
                class="quiet"
                disabled={busy.value}
                data-export={format}
                onClick={() => void save(format)}
              >
                {W[format]}
              </button>
            </li>
          ))}
        {hasResult && (
          <li>
            <a href={here(addressOf('GET /api/images/{id}/overlay', { path: { id } }))} download={`${stem}.mask.png`}>
              {W.mask}
            </a>
          </li>
        )}
        <li>
          <a href={here(addressOf('GET /api/images/{id}/file', { path: { id } }))} download={name}>
            {W.file}
          </a>
        </li>
      </ul>
    </details>
  );
}
