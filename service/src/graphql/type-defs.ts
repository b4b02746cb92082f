import { BATCH_STATUSES, FAILURE_CODE_NAMES, IMAGE_STATUSES, SCOPES } from '../contract/common.ts';
import { EXPORT_FORMATS, EXPORT_STATUSES } from '../contract/exports.ts';

/** GraphQL's enum values have no hyphen: `labels-zip` is `labels_zip`. */
export const enumName = (value: string): string => value.replaceAll('-', '_');

/**
 * The schema. Field names are the contract's (Project, Image, Batch, Result); `title`, `owner`, `thumbnailUrl`, `cellCount` and
 * `stats` stand beside them for documents written against the system before this one. `@cost` and `@needs` are read by `complexity.ts`.
 */
export const TYPE_DEFS = /* GraphQL */ `
  """
  What a field costs: \`value\` itself, and what is selected below it \`times\` over, or as often as the argument \`per\` says; \`each\`
  is added as often. \`rate\`: another limit of the key, by which it counts too.
  """
  directive @cost(value: Int! = 1, times: Int! = 1, per: String, each: Int! = 0, rate: String) on FIELD_DEFINITION
  "The scope that a key needs; without it read for queries and subscriptions, write for mutations. none: any key."
  directive @needs(scope: String!) on FIELD_DEFINITION

  "RFC 3339, UTC."
  scalar Timestamp
  "Flat [x0, y0, x1, y1, …] in pixels, COCO order, not closed."
  scalar Points

  enum ImageStatus { ${IMAGE_STATUSES.join(' ')} }
  enum BatchStatus { ${BATCH_STATUSES.join(' ')} }
  enum FailureCode { ${FAILURE_CODE_NAMES.join(' ')} }
  enum Scope { ${SCOPES.join(' ')} }
  enum ExportFormat { ${EXPORT_FORMATS.map(enumName).join(' ')} }
  enum ExportStatus { ${EXPORT_STATUSES.join(' ')} }
  enum PolygonType { external internal }
  "How far outlines are simplified: low 3 px, medium 1.5 px, high not at all."
  enum Lod { low medium high }
  enum ImageSort { name name_desc createdAt createdAt_desc polygonCount polygonCount_desc }

  "limit 1 to 500; offset or cursor, not both."
  input Pagination { limit: Int! = 50, offset: Int! = 0, cursor: String }
  "limit 1 to 500."
  input OffsetPagination { limit: Int! = 50, offset: Int! = 0 }
  input ResultPagination { limit: Int! = 50, cursor: String }
  "status: any of these; q: part of the name."
  input ImageFilter { status: [ImageStatus!], q: String }

  type Query {
    "Who asks."
    me: Me! @needs(scope: "none")
    "Null with NOT_FOUND when there is none; so are the others."
    project(id: ID!): Project @cost(value: 2)
    "Oldest first."
    projects(pagination: Pagination! = {}): ProjectPage! @cost(value: 5, per: "pagination.limit")
    image(id: ID!): Image @cost(value: 2)
    images(projectId: ID!, pagination: Pagination! = {}, filter: ImageFilter! = {}, sort: ImageSort! = createdAt): ImagePage
      @cost(value: 5, per: "pagination.limit")
    batch(id: ID!): Batch @cost(value: 2)
    "Newest first."
    batches(projectId: ID!, pagination: Pagination! = {}): BatchPage @cost(value: 5, per: "pagination.limit")
    "Of one image: the latest."
    result(imageId: ID!): Result @cost(value: 2)
    "Of up to 1,000 images, or of a batch: exactly one of both."
    results(imageIds: [ID!], batchId: ID, pagination: ResultPagination! = {}): ResultPage @cost(value: 5, per: "pagination.limit")
    failures(batchId: ID!): Failures @cost(value: 20, times: 5)
    export(id: ID!): Export @cost(value: 2)
    "Of a batch, newest first."
    exports(batchId: ID!, pagination: OffsetPagination! = {}): ExportPage @cost(value: 5, per: "pagination.limit")
    queue: Queue! @cost(value: 5)
  }

  "Each does what the HTTP route of its name does, and leaves a row in the audit. Costs one request of the key."
  type Mutation {
    createProject(input: ProjectInput!): Project @cost(value: 100)
    updateProject(id: ID!, input: ProjectChange!): Project @cost(value: 100)
    renameProject(id: ID!, name: String!): Project @cost(value: 100)
    "The id of what was deleted."
    deleteProject(id: ID!): ID @cost(value: 100)
    "Up to 100. What is unknown is told, and the others are deleted all the same."
    deleteImages(ids: [ID!]!): DeletedImages! @cost(per: "ids", each: 100)
    startBatch(projectId: ID!, input: BatchInput!): Batch @cost(value: 100)
    pauseBatch(id: ID!): Batch @cost(value: 100)
    resumeBatch(id: ID!): Batch @cost(value: 100)
    cancelBatch(id: ID!): Batch @cost(value: 100)
    "A new batch of the images that failed, with the old one's settings."
    retryBatch(id: ID!, code: FailureCode): Batch @cost(value: 100)
    createExport(batchId: ID!, format: ExportFormat!): Export @cost(value: 100, rate: "exports") @needs(scope: "read")
  }

  type Subscription {
    "A batch's progress: its present state first, then each change; ends with the batch. taskId is the batch's id."
    segmentationProgress(taskId: String!): SegmentationProgress @cost(value: 10)
  }

  input ProjectInput { name: String!, pixelSizeUm: Float }
  "One of them at least."
  input ProjectChange { name: String, pixelSizeUm: Float }
  "Either imageIds (up to 10,000) or all: true."
  input BatchInput {
    imageIds: [ID!], all: Boolean, model: String, threshold: Float, channel: Int, page: Int, priority: Int, force: Boolean
    detectHoles: Boolean, webhook: String
  }

  type Me { keyId: ID! name: String! scopes: [Scope!]! }
  type DeletedImages { deleted: [ID!]! missing: [ID!]! }

  type Project {
    id: ID!
    name: String!
    "The same as name."
    title: String!
    "Side of one pixel in micrometres."
    pixelSizeUm: Float
    imageCount: Int!
    createdAt: Timestamp!
    "The key that created it; null where nobody knows."
    owner: Owner
    stats: ProjectStats! @cost(value: 2)
    images(pagination: Pagination! = {}, filter: ImageFilter! = {}, sort: ImageSort! = createdAt): ImagePage!
      @cost(value: 5, per: "pagination.limit")
    "Newest first."
    batches(pagination: Pagination! = {}): BatchPage! @cost(value: 5, per: "pagination.limit")
  }
  type Owner { "The key's name." name: String! }
  "segmentedImages: those that are completed."
  type ProjectStats { totalImages: Int! segmentedImages: Int! }
  type ProjectPage { items: [Project!]! total: Int! limit: Int! offset: Int! nextCursor: String }

  type Image {
    id: ID!
    projectId: ID!
    name: String!
    relativePath: String
    width: Int!
    height: Int!
    channels: Int!
    pages: Int!
    sizeBytes: Float!
    sha256: String!
    mimeType: String!
    status: ImageStatus!
    createdAt: Timestamp!
    polygonCount: Int
    batchId: ID
    error: ImageError
    "Signed address of a picture, w pixels wide (1 to 4096); needs no key until it expires, like the next two."
    thumbnailUrl(w: Int! = 256): String!
    "Of the mask of the result; null while there is none."
    overlayUrl: String @cost(value: 2)
    "Of the original bytes."
    fileUrl: String!
    "Null while there is none."
    segmentation: Result @cost(value: 2)
    project: Project
    batch: Batch @cost(value: 2)
  }
  type ImageError { code: FailureCode! message: String! retryable: Boolean! }
  "total counts apart: a page that does not ask for it is one query."
  type ImagePage { items: [Image!]! total: Int! limit: Int! offset: Int! nextCursor: String }

  type Batch {
    id: ID!
    projectId: ID!
    status: BatchStatus!
    pausedReason: String
    model: String!
    modelVersion: String!
    threshold: Float!
    priority: Int!
    total: Int!
    counts: BatchCounts!
    "Of the completed: answered by stored results, without an inference."
    reused: Int!
    imagesPerSecond: Float!
    eta: Eta
    retryOf: ID
    "What was said before it began."
    forecast: Forecast
    createdAt: Timestamp!
    startedAt: Timestamp
    finishedAt: Timestamp
    project: Project
    failures: Failures! @cost(value: 20, times: 5)
    results(pagination: ResultPagination! = {}): ResultPage! @cost(value: 5, per: "pagination.limit")
    "Newest first."
    exports(pagination: OffsetPagination! = {}): ExportPage! @cost(value: 5, per: "pagination.limit")
  }
  type BatchCounts { queued: Int! processing: Int! completed: Int! failed: Int! cancelled: Int! }
  "Seconds left, and bounds from the spread of the rate."
  type Eta { seconds: Float! low: Float! high: Float! }
  type Forecast {
    images: Int!
    workers: Int!
    imagesAhead: Int!
    seconds: Float!
    low: Float!
    high: Float!
    resultBytes: Float!
    basis: ForecastBasis!
  }
  type ForecastBasis { images: Int! ownProject: Boolean! batches: Int! outside: Boolean! }
  type BatchPage { items: [Batch!]! total: Int! limit: Int! offset: Int! nextCursor: String }
  type Failures { batchId: ID! total: Int! groups: [FailureGroup!]! }
  type FailureGroup {
    code: FailureCode!
    retryable: Boolean!
    count: Int!
    first: Timestamp!
    last: Timestamp!
    sampleImageIds: [ID!]!
    sampleMessage: String!
    "The newest retry that has what failed first of these."
    retryId: ID
  }

  type Export {
    id: ID!
    batchId: ID
    format: ExportFormat!
    status: ExportStatus!
    "Share of the images that are written, 0 to 1."
    progress: Float!
    fileName: String
    sizeBytes: Float
    error: String
    createdAt: Timestamp!
    finishedAt: Timestamp
    "Signed address of the file once it is ready."
    downloadUrl: String
  }
  type ExportPage { items: [Export!]! total: Int! limit: Int! offset: Int! }

  type Result {
    imageId: ID!
    batchId: ID
    status: ImageStatus!
    model: String!
    modelVersion: String!
    threshold: Float!
    imageWidth: Int!
    imageHeight: Int!
    polygonCount: Int!
    "The same as polygonCount."
    cellCount: Int!
    processingTimeMs: Float!
    "Codes of what a user should know about this result, such as UNLIKE_TRAINING_DATA, or SIMULATED: no model ran."
    warnings: [String!]!
    stages: [Stage!]! @cost(times: 6)
    "Read and decoded only where it is asked for."
    polygons(lod: Lod! = high): [Polygon!]! @cost(value: 20, times: 10)
    image: Image @cost(value: 2)
  }
  type Stage { name: String! durationMs: Float! }
  type Polygon {
    id: Int!
    type: PolygonType!
    parentId: Int
    points: Points!
    "Square pixels of the traced region."
    area: Float!
    "[x, y, width, height] in pixels."
    bbox: [Float!]!
    confidence: Float!
  }
  "missing: unknown ids. An id in neither list is known and has no result."
  type ResultPage { items: [Result!]! missing: [ID!]! nextCursor: String }

  type Queue { waiting: Int! active: Int! delayed: Int! failed: Int! oldestAgeMs: Float! workers: [Worker!]! @cost(times: 10) }
  type Worker {
    id: String!
    pid: Int
    state: String!
    model: String!
    provider: String!
    imagesDone: Int!
    lastError: String
    "Share of the time with an image running, 0 to 1."
    busyRatio: Float!
    rssBytes: Float!
    seenAt: Timestamp!
  }

  type SegmentationProgress {
    taskId: ID!
    status: BatchStatus!
    "Why it paused itself."
    pausedReason: String
    "Of all images, those that are completed, failed or cancelled: 0 to 100."
    percentage: Float!
    total: Int!
    counts: BatchCounts!
    imagesPerSecond: Float!
    eta: Eta
  }
`;
