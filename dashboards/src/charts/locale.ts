/**
 * Chromium names the language of a POSIX locale `en-US@posix`, which `Intl` refuses, and uPlot hands it to `Intl` as it is, when it is
 * loaded. Such a browser then says English, to this page alone.
 */
export function mendLanguage(of: { readonly language: string }): void {
  try {
    Intl.getCanonicalLocales(of.language);
  } catch {
    Object.defineProperty(of, 'language', { value: 'en-US', configurable: true });
  }
}
