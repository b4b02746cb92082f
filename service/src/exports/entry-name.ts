/** What Windows takes for a device, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(\.|$)/i;
/** Control characters, those that turn the direction of text round, and what file systems give a meaning to. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const SPECIAL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"|?*\\]/g;
/** Room for `~` with an id, and an extension, within the 255 bytes that file systems take. */
const MAX_BYTES = 200;

function cut(part: string): string {
  let end = part.length;
  while (Buffer.byteLength(part.slice(0, end)) > MAX_BYTES) end--;
  // Never half of a surrogate pair.
  return part.slice(0, end).replace(/[\ud800-\udbff]$/, '');
}

function safePart(part: string): string {
  // Windows drops dots and blanks at the end, so that `.. ` is `..` there.
  const plain = part.replace(SPECIAL, '_');
  const named = cut(DEVICE.test(plain) ? `_${plain}` : plain);
  return named.replace(/[. ]+$/, (end) => '_'.repeat(end.length));
}

/** A path that unpacks below the folder it is unpacked in, on every system: whatever is special in a part becomes `_`. */
export const safeEntryName = (path: string): string =>
  path
    .split(/[/\\]/)
    .filter((part) => part !== '')
    .map(safePart)
    .join('/') || '_';

/** @throws Error when an archive would hold a name that leaves the folder it is unpacked in (zip-slip), or an absolute one */
export function refuseUnsafeName(name: string): void {
  const parts = name.split('/');
  const leaves = parts.some((part) => part === '' || /^\.+$/.test(part)) || /\\|\0|^[a-z]:/i.test(name);
  if (leaves) throw new Error(`archive entry ${JSON.stringify(name)} is not a plain path below its folder`);
}
