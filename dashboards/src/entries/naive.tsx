import { render } from 'preact';
import { createApp, idIn } from '../app.tsx';
import { NaiveGallery } from '../naive/NaiveGallery.tsx';
import { pathIn } from '../models/root.ts';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/naive.css';

const { App, start } = createApp((api) => {
  const projectId = idIn(pathIn(location.pathname), '/naive/projects');
  return projectId ? <NaiveGallery api={api} projectId={projectId} /> : <NotFoundPage />;
});
render(<App />, document.getElementById('app')!);
void start();
