import { expect, it } from 'vitest';
import { formatFor, MASK_FORMATS, PICTURE_FORMATS } from '../../src/pictures/formats.ts';

it.each([
  [undefined, 'webp'],
  ['*/*', 'webp'],
  ['image/avif,image/webp,image/apng,*/*;q=0.8', 'webp'],
  ['image/avif', 'avif'],
  ['image/avif, image/webp;q=0.5', 'avif'],
  ['image/webp;q=0, image/avif', 'avif'],
  ['image/png', 'png'],
  ['IMAGE/JPEG', 'jpeg'],
  ['image/*;q=0.5, image/jpeg', 'jpeg'],
  ['text/html,application/xml', 'jpeg'],
])('chooses by Accept: %s → %s', (accept, format) => {
  expect(formatFor(accept, PICTURE_FORMATS, 'jpeg')).toBe(format);
});
it('never chooses a mask without transparency', () => {
  expect(formatFor('image/jpeg', MASK_FORMATS, 'png')).toBe('png');
  expect(formatFor('image/webp', MASK_FORMATS, 'png')).toBe('webp');
});
