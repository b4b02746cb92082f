import { effect, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import type { Exports } from '../../models/gallery/Exports.ts';
import { exportsKey, readStored } from '../../models/place.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';
import type { ExportPanel } from './ExportPanel.tsx';
import { Menu } from '../Menu.tsx';

const W = WORDS.export;

/** The menu of exports. What is in it comes when it is opened first, or at once where this tab has asked for exports before. */
export function GalleryExport({ gallery: { exporting } }: { gallery: Gallery }) {
  const open = useSignal(false);
  const part = useSignal<{ Panel: typeof ExportPanel; exports: Exports } | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    let gone = false;
    async function load(): Promise<void> {
      try {
        const { ExportPanel, startExports } = await import('./ExportPanel.tsx');
        if (!gone) part.value ??= { Panel: ExportPanel, exports: startExports(exporting) };
      } catch {
        failed.value = true;
      }
    }
    const kept = readStored(exporting.storage, exportsKey(exporting.projectId)) !== null;
    const stop = effect(() => {
      if (open.value || kept) void load();
    });
    return () => {
      gone = true;
      stop();
      part.peek()?.exports.stop();
    };
  }, [exporting]);
  const loaded = part.value;
  const summary = loaded?.exports.summary.value;
  return (
    <Menu
      open={open}
      name="gallery-export"
      label={
        <>
          {W.label}
          {summary && <span class="faint"> {summary}</span>}
        </>
      }
    >
      {loaded && open.value && <loaded.Panel exports={loaded.exports} />}
      {!loaded && <p role={failed.value ? 'alert' : undefined}>{failed.value ? W.notLoaded : COMMON.loading}</p>}
    </Menu>
  );
}
