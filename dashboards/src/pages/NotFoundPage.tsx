import { PageHeader } from '../components/PageHeader.tsx';

export function NotFoundPage() {
  return (
    <>
      <PageHeader path="" />
      <main class="page prose">
        <h1>No such page</h1>
        <p>
          <code>{location.pathname}</code> is not an address of this service.
        </p>
        <p>
          <a href="/">Back to the projects</a>
        </p>
      </main>
    </>
  );
}
