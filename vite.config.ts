import { defineConfig } from 'vite';
import { precompress } from './dashboards/build/precompress.ts';

const OF_EVERY_PAGE = /node_modules\/@?preact|src\/(?:models\/(?:root|format)|words\/common)\.ts|contract\/client\.ts/;

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
      // What every page needs is one script: by itself the bundler makes three of it, which compress worse.
      output: { codeSplitting: { groups: [{ name: 'root', test: OF_EVERY_PAGE }] } },
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
