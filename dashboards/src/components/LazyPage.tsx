import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { pathIn } from '../models/root.ts';
import { WORDS } from '../words/common.ts';
import { PageHeader } from './PageHeader.tsx';

/** A page whose script is fetched when it is first shown: the gallery pays for no chart. */
export function LazyPage<P extends object>({ load, props }: { load: () => Promise<ComponentType<P>>; props: P }) {
  const page = useSignal<{ View: ComponentType<P> } | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    load().then(
      (View) => (page.value = { View }),
      () => (failed.value = true),
    );
  }, []);
  if (page.value) {
    const { View } = page.value;
    return <View {...props} />;
  }
  return (
    <>
      <PageHeader path={pathIn(location.pathname)} />
      <main class="page">
        {failed.value && (
          <p class="notice notice-bad" role="alert">
            {WORDS.notLoaded}
          </p>
        )}
      </main>
    </>
  );
}
