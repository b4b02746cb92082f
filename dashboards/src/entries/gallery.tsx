import { render } from 'preact';
import { createApp, idIn } from '../app.tsx';
import { pathIn } from '../models/root.ts';
import { GalleryPage } from '../pages/GalleryPage.tsx';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/gallery.css';
import '../styles/gallery-grid.css';
import '../styles/gallery-tools.css';
import '../styles/toasts.css';

/** A document of its own: it needs none of the other pages, and none of them waits for its script. */
const { App, start } = createApp((api) => {
  const projectId = idIn(pathIn(location.pathname), '/projects');
  return projectId ? <GalleryPage api={api} projectId={projectId} /> : <NotFoundPage />;
});
render(<App />, document.getElementById('app')!);
void start();
