import { render } from 'preact';
import { createApp, idIn } from '../app.tsx';
import { GalleryPage } from '../pages/GalleryPage.tsx';
import { pathIn } from '../models/root.ts';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/gallery.css';
import '../styles/gallery-grid.css';
import '../styles/gallery-tools.css';
import '../styles/toasts.css';

/** What the settle measurement must see: a main thread that is busy when events come and again before anything is painted. */
const BUSY_MS = { afterFrame: 50, afterBatch: 3000, beforePaint: 1000 };

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
const hooks = {
  afterEvents: (batchEnded: boolean) => block(batchEnded ? BUSY_MS.afterBatch : BUSY_MS.afterFrame),
  beforePaint: () => block(BUSY_MS.beforePaint),
};

const { App, start } = createApp((api) => {
  const projectId = idIn(pathIn(location.pathname), '/blocker/projects');
  return projectId ? <GalleryPage api={api} projectId={projectId} hooks={hooks} /> : <NotFoundPage />;
});
render(<App />, document.getElementById('app')!);
void start();
