import { here } from '../models/root.ts';
import { WORDS } from '../words/common.ts';

const W = WORDS.pages;
const PAGES = [
  { path: '/', label: W.now },
  { path: '/runs', label: W.runs },
  { path: '/capacity', label: W.capacity },
  { path: '/keys', label: W.keys },
];

/** `path`: of the page that it stands on. */
export function PageHeader({ path: own }: { path: string }) {
  return (
    <header class="page-header">
      <a class="home" href={here('/')}>
        {WORDS.name}
      </a>
      <nav aria-label={W.label}>
        {PAGES.map(({ path, label }) => (
          <a key={path} href={here(path)} aria-current={path === own ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
    </header>
  );
}
