const PAGES = [
  { href: '/', label: 'Now' },
  { href: '/runs', label: 'Runs' },
  { href: '/capacity', label: 'Capacity' },
];

export function PageHeader({ path }: { path: string }) {
  return (
    <header class="page-header">
      <a class="home" href="/">
        segbench
      </a>
      <nav aria-label="Pages">
        {PAGES.map(({ href, label }) => (
          <a key={href} href={href} aria-current={href === path ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
    </header>
  );
}
