import { defineConfig } from 'vite';
import { precompress } from './dashboards/build/precompress.ts';

/** Three entries: the pages people use, the negative control, and the self-test page; only the first is ever linked to. */
export default defineConfig({
  root: 'dashboards',
  // Relative: the service may be a folder of another site. It turns the addresses in its pages to where each page is.
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // An inlined worker or picture would need a wider content security policy than 'self'.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        index: 'dashboards/index.html',
        naive: 'dashboards/naive.html',
        blocker: 'dashboards/blocker.html',
      },
    },
  },
  worker: { format: 'es' },
  plugins: [precompress()],
});
