/** Which methods a path has routes for, so that a wrong one is told from a wrong path (RFC 9110, 15.5.6). */
export function createMethodTable() {
  const byUrl = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  return {
    /** @param url as Fastify has it: `/api/projects/:id`; one with a wildcard is left out, it knows no paths of its own. */
    add(url: string, method: string | readonly string[]): void {
      if (url.includes('*')) return;
      const escaped = url.replace(/\/$/, '').replace(/[.+?^${}()|[\]\\]/g, '\\$&');
      const entry = byUrl.get(url) ?? {
        pattern: new RegExp(`^${escaped.replace(/:[^/]+/g, '[^/]+')}/?$`),
        methods: new Set<string>(),
      };
      for (const each of [method].flat()) entry.methods.add(each);
      byUrl.set(url, entry);
    },
    /** Sorted; empty for an unknown path. */
    of(path: string): string[] {
      const found = new Set<string>();
      for (const { pattern, methods } of byUrl.values())
        if (pattern.test(path)) for (const method of methods) found.add(method);
      return [...found].sort();
    },
  };
}
