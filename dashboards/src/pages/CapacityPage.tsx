import { PageHeader } from '../components/PageHeader.tsx';

export function CapacityPage() {
  return (
    <>
      <PageHeader path="/capacity" />
      <main class="page prose">
        <h1>Capacity</h1>
        <p>
          This page will answer how many workers a number of images in a given time needs, which stage binds, and how
          well earlier predictions held, from measured runs.
        </p>
        <p>It predicts nothing yet. The measurements that predictions will be made from are made today by:</p>
        <pre>
          <code>npm run bench</code>
        </pre>
      </main>
    </>
  );
}
