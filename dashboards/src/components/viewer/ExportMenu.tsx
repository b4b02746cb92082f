import { addressOf } from '#contract/client.ts';
import { useSignal } from '@preact/signals';
import type { Image } from '#contract/images.ts';
import type { Api } from '../../models/api.ts';
import { IMAGE_EXPORTS, textOf, type ImageExport } from '../../models/viewer/export-image.ts';
import type { Viewer } from '../../models/viewer/Viewer.ts';
import { here } from '../../models/root.ts';
import { saveFile } from '../../models/viewer/viewer-deps.ts';
import { WORDS } from '../../words/viewer.ts';
import { Menu } from '../Menu.tsx';

const W = WORDS.export;

const FORMATS = Object.keys(IMAGE_EXPORTS) as ImageExport[];

/** Files of this image: its bytes, its result, and the mask. Those of whole batches are made by the service. */
export function ExportMenu({ api, viewer, image }: { api: Api; viewer: Viewer; image: Image }) {
  const open = useSignal(false);
  const busy = useSignal(false);
  const hasResult = viewer.facts.value !== null;
  const { id, name } = image;
  const stem = name.replace(/\.[^.]+$/, '');
  async function save(format: ImageExport): Promise<void> {
    busy.value = true;
    try {
      const result = await api.call('GET /api/images/{id}/segmentation', { path: { id } });
      const { extension, type } = IMAGE_EXPORTS[format];
      const text = textOf(format, image, result, await viewer.pixelSizeOf(image));
      saveFile(`${stem}.${extension}`, new Blob([text], { type }));
      open.value = false;
    } catch (cause) {
      viewer.tell(cause);
    } finally {
      busy.value = false;
    }
  }
  return (
    <Menu open={open} name="view-export" label={W.label}>
      <ul class="menu-items">
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
    </Menu>
  );
}
