import { PageHeader } from '../components/PageHeader.tsx';
import { here, pathIn } from '../models/root.ts';
import { WORDS } from '../words/common.ts';

const W = WORDS.notFound;

export function NotFoundPage() {
  return (
    <>
      <PageHeader path="" />
      <main class="page prose">
        <h1>{W.title}</h1>
        <p>
          <code>{pathIn(location.pathname)}</code> {W.text}
        </p>
        <p>
          <a href={here('/')}>{W.back}</a>
        </p>
      </main>
    </>
  );
}
