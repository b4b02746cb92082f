/** What one request may ask for. Each is named in the error of whoever asks for more, and stands in docs/graphql.md. */
export const LIMITS = {
  /** Bytes of one document. */
  documentBytes: 16 * 1024,
  /** Lexical tokens of one document: what validation's cost grows with. */
  tokens: 2_000,
  /** Operations in one document; one of them runs. */
  operations: 5,
  /** Aliases in one document. */
  aliases: 15,
  /** Fields below each other. */
  depth: 10,
  /** Cost of the operation that runs. */
  complexity: 10_000,
  /** Selections looked at while the cost is counted: fragments may repeat each other without end. */
  visits: 20_000,
  /** Subscriptions open at once on one socket. */
  subscriptions: 20,
  /** Bytes of stored polygons read for one request; as JSON they are about six times as many. */
  polygonBytes: 8 * 1024 * 1024,
} as const;

export const PAGE_LIMIT = 500;
/** One more of the key's `requests` a minute for each of these. */
export const COMPLEXITY_PER_REQUEST = 100;

/** How many of a key's requests an operation is worth. */
export const requestsFor = (complexity: number): number => Math.max(1, Math.ceil(complexity / COMPLEXITY_PER_REQUEST));
