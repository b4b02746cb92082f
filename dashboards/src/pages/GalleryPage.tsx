import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { GalleryView } from '../components/gallery/GalleryView.tsx';
import type { Api } from '../models/api.ts';
import { createBrowserDeps } from '../models/gallery/browser-deps.ts';
import { createGallery } from '../models/gallery/Gallery.ts';
import type { GalleryDeps } from '../models/gallery/gallery-deps.ts';
import { WORDS as COMMON } from '../words/common.ts';

export function GalleryPage({ api, projectId, hooks }: { api: Api; projectId: string; hooks?: GalleryDeps['hooks'] }) {
  const { gallery, release } = useMemo(() => {
    const browser = createBrowserDeps(api, projectId);
    return { gallery: createGallery({ ...browser.deps, ...(hooks && { hooks }) }), release: browser.release };
  }, [api, projectId]);
  // Not an effect: those wait until the page has been painted, and what is asked for here is under way by then.
  useLayoutEffect(() => {
    void gallery.start();
    return () => {
      gallery.stop();
      release();
    };
  }, [gallery]);
  const name = gallery.feed.project.value?.name;
  useEffect(() => {
    if (name) document.title = COMMON.tab(name);
  }, [name]);
  return <GalleryView gallery={gallery} />;
}
