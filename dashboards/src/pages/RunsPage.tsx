import { PageHeader } from '../components/PageHeader.tsx';

export function RunsPage() {
  return (
    <>
      <PageHeader path="/runs" />
      <main class="page prose">
        <h1>Runs</h1>
        <p>
          This page will list the runs of the benchmark: each budget with its value, the value before, their ratio, the
          noise, the limit and the verdict. Runs from different machines will be called incomparable.
        </p>
        <p>It does not read runs yet. To make one today, and to read it:</p>
        <pre>
          <code>{'npm run bench\nbench-results/latest/report.html'}</code>
        </pre>
      </main>
    </>
  );
}
