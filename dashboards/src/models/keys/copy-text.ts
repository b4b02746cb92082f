/** Copies what a field shows; without TLS there is no clipboard, and the old way is tried. @returns whether it was copied; else it is selected */
export async function copyText(field: HTMLInputElement): Promise<boolean> {
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    return document.execCommand('copy');
  }
}
