import { render } from 'preact';
import { createApp, idIn } from '../app.tsx';
import { LazyPage } from '../components/LazyPage.tsx';
import type { Api } from '../models/api.ts';
import { pathIn } from '../models/root.ts';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/gallery.css';
import '../styles/gallery-grid.css';
import '../styles/gallery-tools.css';
import '../styles/toasts.css';
import '../styles/operator.css';

const operatorPage = () => import('../pages/OperatorPage.tsx').then(({ OperatorPage }) => OperatorPage);
const viewerPage = () => import('../pages/ViewerPage.tsx').then(({ ViewerPage }) => ViewerPage);
const keysPage = () => import('../pages/KeysPage.tsx').then(({ KeysPage }) => KeysPage);
const capacityPage = () => import('../pages/CapacityPage.tsx').then(({ CapacityPage }) => CapacityPage);
const runsPage = () => import('../pages/RunsPage.tsx').then(({ RunsPage }) => RunsPage);

/** Links load a page anew: five pages need no router, and leaving a page frees all it held. */
function pageAt(pathname: string, api: Api) {
  const imageId = idIn(pathname, '/images');
  if (imageId) return <LazyPage load={viewerPage} props={{ api, imageId }} />;
  if (pathname === '/') return <LazyPage load={operatorPage} props={{ api }} />;
  const runId = idIn(pathname, '/runs');
  if (runId || pathname === '/runs') return <LazyPage load={runsPage} props={{ api, runId }} />;
  if (pathname === '/keys') return <LazyPage load={keysPage} props={{ api }} />;
  if (pathname === '/capacity') return <LazyPage load={capacityPage} props={{ api }} />;
  return <NotFoundPage />;
}

const { App, start } = createApp((api) => pageAt(pathIn(location.pathname), api));
render(<App />, document.getElementById('app')!);
void start();
