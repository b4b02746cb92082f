/** A label image from a drawing: '.' is background, other characters are labels in the order of their first pixel. */
export function draw(...rows: string[]): { labels: Int32Array; width: number; height: number; count: number } {
  const width = rows[0]!.length;
  const names: string[] = [];
  const labels = Int32Array.from(rows.join(''), (name) => {
    if (name === '.') return 0;
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name) + 1;
  });
  return { labels, width, height: rows.length, count: names.length };
}

/** Bright discs on a dark, slightly uneven ground: a fluorescence image in 8 bits. */
export function discs(width: number, height: number, centres: [x: number, y: number, radius: number][]): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const inside = Math.max(...centres.map(([cx, cy, r]) => 1.2 - Math.hypot(x - cx, y - cy) / r));
      out[y * width + x] = 12 + ((x * 7 + y * 13) % 5) + 150 * Math.min(1, Math.max(0, inside * 3));
    }
  return out;
}
