import { render } from 'preact';
import { createApp, idIn } from '../app.tsx';
import { later } from '../components/Later.tsx';
import type { Api } from '../models/api.ts';
import { CapacityPage } from '../pages/CapacityPage.tsx';
import { GalleryPage } from '../pages/GalleryPage.tsx';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import { OperatorPage } from '../pages/OperatorPage.tsx';
import { RunsPage } from '../pages/RunsPage.tsx';
import '../styles/base.css';
import '../styles/gallery.css';
import '../styles/gallery-tools.css';
import '../styles/toasts.css';
import '../styles/operator.css';

const ViewerPage = later(async () => (await import('../pages/ViewerPage.tsx')).ViewerPage);

/** Links load a page anew: five pages need no router, and leaving a page frees all it held. */
function pageAt(pathname: string, api: Api) {
  const projectId = idIn(pathname, '/projects');
  if (projectId) return <GalleryPage api={api} projectId={projectId} />;
  const imageId = idIn(pathname, '/images');
  if (imageId) return <ViewerPage api={api} imageId={imageId} />;
  if (pathname === '/') return <OperatorPage api={api} />;
  if (pathname === '/runs') return <RunsPage />;
  if (pathname === '/capacity') return <CapacityPage />;
  return <NotFoundPage />;
}

const { App, start } = createApp((api) => pageAt(location.pathname, api));
render(<App />, document.getElementById('app')!);
void start();
