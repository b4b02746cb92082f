import { defineConfig } from 'vite';
import { precompress } from './dashboards/build/precompress.ts';

/** Four entries: the gallery, the other pages people use, the negative control, and the self-test page; only the first two are ever linked to. */
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
      // What three scripts need is one: by itself the bundler makes many small ones of it, which compress worse.
      output: { codeSplitting: { groups: [{ name: 'root', minShareCount: 3 }] } },
      input: {
        index: 'dashboards/index.html',
        gallery: 'dashboards/gallery.html',
        naive: 'dashboards/naive.html',
        blocker: 'dashboards/blocker.html',
      },
    },
  },
  worker: { format: 'es' },
  plugins: [precompress()],
});
