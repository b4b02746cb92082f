const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * For text and quoted attributes of HTML and XML. XML 1.0 forbids most control characters and lone surrogates even when
 * escaped (section 2.2): they become U+FFFD.
 */
export function escapeMarkup(text: string): string {
  return replaceControls(text).replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** For terminals and Markdown: one line, and no sequence in a file's name that could move the cursor or colour what follows. */
export function oneLine(text: string): string {
  return replaceControls(text).replaceAll(/\s+/g, ' ').trim();
}

function replaceControls(text: string): string {
  return Array.from(text.toWellFormed(), (sign) => (isAllowed(sign) ? sign : '\uFFFD')).join('');
}

function isAllowed(sign: string): boolean {
  const code = sign.codePointAt(0) ?? 0;
  if (code >= 0x7f && code < 0xa0) return false;
  return code >= 0x20 ? code !== 0xfffe && code !== 0xffff : code === 0x9 || code === 0xa || code === 0xd;
}
