/** Widths in pixels at 12 px, of a wide sans serif: what is guessed too wide costs room, too narrow is cut. */
const WIDTHS: readonly (readonly [letters: RegExp, width: number])[] = [
  [/[ijlI.,:;/|' ()]/, 4],
  [/[mwMW%]/, 11.5],
  [/[A-Z_]/, 8.3],
];
const OTHERS = 7;

/** Of a text that is not drawn yet. */
export const widthOf = (text: string): number =>
  Array.from(text).reduce((sum, letter) => sum + (WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? OTHERS), 0);
