import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (pattern: string) =>
  globSync(pattern, { cwd: root }).map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
const styles = read('{dashboards/src,service/src/{openapi,graphql}}/**/*.css');
const scripts = read('{dashboards/src/**/*.{ts,tsx},service/src/{openapi/docs,graphql/explorer}/*.js}');

/** `docs/pages.md` says so: that is why nothing asks for `prefers-reduced-motion`. An animation of 1 ms is a delay: nobody sees it. */
it('has nothing that moves by itself, but what is over in a millisecond', () => {
  expect(styles.length).toBeGreaterThan(10);
  expect(scripts.length).toBeGreaterThan(50);
  const moving = [...styles, ...scripts].flatMap(({ file, text }) =>
    (
      text.match(
        /(?:^\s*|[{;]\s*)(?:transition|animation)[\w-]*:.*|scroll-behavior.*|behavior: 'smooth'|\.animate\(|<marquee/gm,
      ) ?? []
    )
      .map((found) => found.replace(/^[{;\s]+/, ''))
      .filter((found) => !/^animation: [\w-]+ 1ms [\w ]+;$/.test(found))
      .map((found) => `${file}: ${found}`),
  );
  expect(moving).toEqual([]);
});
