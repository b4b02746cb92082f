const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and quoted attributes of HTML and XML. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** XML 1.0 forbids most control characters and lone surrogates even when escaped (section 2.2): they become U+FFFD. */
export function escapeXml(text: string): string {
  return Array.from(escapeMarkup(text.toWellFormed()), (sign) => (isXmlCharacter(sign) ? sign : '\uFFFD')).join('');
}

function isXmlCharacter(sign: string): boolean {
  const code = sign.codePointAt(0) ?? 0;
  return code >= 0x20 ? code !== 0xfffe && code !== 0xffff : code === 0x9 || code === 0xa || code === 0xd;
}
