const TOKEN = /<\?[^?]*\?>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const ENTITY = /&(?!(?:amp|lt|gt|quot|#39);)/;
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Names of all elements of an XML text in order. @throws Error at the first place where it is not well-formed (XML 1.0, 2.1). */
export function wellFormed(text: string): string[] {
  if (!text.isWellFormed() || FORBIDDEN.test(text)) throw new Error('a character that XML forbids');
  const open: string[] = [];
  const names: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 80)}`);
    const [, closed, opened, attributes = '', empty, content = ''] = match;
    if (ENTITY.test(attributes + content)) throw new Error(`a bare & near ${at}: ${text.slice(at, at + 80)}`);
    if (opened !== undefined) {
      names.push(opened);
      if (empty === '') open.push(opened);
    } else if (closed !== undefined && open.pop() !== closed)
      throw new Error(`</${closed}> closes another element at ${at}`);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return names;
}
