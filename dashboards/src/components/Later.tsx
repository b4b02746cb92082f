import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

/** A component whose script is loaded when it is first shown. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return function Later(props: P) {
    const loaded = useSignal<{ Shown: ComponentType<P> } | null>(null);
    const failed = useSignal(false);
    useEffect(() => {
      load().then(
        (Shown) => (loaded.value = { Shown }),
        () => (failed.value = true),
      );
    }, []);
    if (failed.value)
      return (
        <main class="page prose">
          <h1>A part of this page could not be loaded</h1>
          <p>The service may have been renewed meanwhile, or the connection is gone.</p>
          <p>
            <a href={location.href}>Load the page again</a>
          </p>
        </main>
      );
    const Shown = loaded.value?.Shown;
    return Shown ? <Shown {...props} /> : null;
  };
}
