import { useEffect } from 'preact/hooks';
import { PageHeader } from '../components/PageHeader.tsx';
import { here } from '../models/root.ts';
import { WORDS } from '../words/common.ts';

const W = WORDS.capacity;

export function CapacityPage() {
  useEffect(() => {
    document.title = WORDS.tab(W.title);
  }, []);
  return (
    <>
      <PageHeader path="/capacity" />
      <main class="page prose">
        <h1>{W.title}</h1>
        <p>{W.text}</p>
        <pre tabIndex={0}>
          <code>
            {W.measure}
            {'\n'}
            {W.ask}
          </code>
        </pre>
        <p>
          {W.afterwards} <a href={here('/runs')}>{W.runs}</a>
        </p>
      </main>
    </>
  );
}
