/** Words of the gallery's menu of exports. Not in `gallery.ts`: they come with the menu, and whoever exports nothing does not load them. */
export const WORDS = {
  loading: 'Looking for what there is',
  batch: 'Batch',
  about: (moment: string, images: string, threshold: string) => `${moment} · ${images} · threshold ${threshold}`,
  kinds: { whole: '', trial: ' · trial', retry: ' · retry of what failed' },
  notOver: ' · not finished',
  cancelled: ' · cancelled',
  nothing: {
    title: 'Nothing to export yet',
    noImages: 'Upload images, then “Segment all”: its results can be saved here.',
    noBatch: '“Segment all” makes results: they can be saved here.',
  },
  notes: {
    none: 'Not finished, and none of its images is done yet: wait for the first.',
    partly: (done: string, total: string) =>
      `Not finished: ${done} of ${total} images are done. The file will hold those that are done when it is written.`,
    without: (images: string) =>
      `Without a result: ${images}. Only CSV and NDJSON list such images, with their status.`,
    nothing: 'No image of this batch has a result. Only CSV and NDJSON list them, with their status.',
  },
  needsRead: (name: string, scopes: string) =>
    `The key “${name}” (${scopes}) may not export: that needs the scope read. Sign in with another key, or ask for one on the page “Keys”.`,
  notRead: (why: string) => `The batches could not be read: ${why}`,
  formats: 'Formats',
  format: {
    csv: { name: 'CSV', what: 'Tables for Excel or pandas: a row an image, a row a cell' },
    'labels-zip': {
      name: 'Label images',
      what: 'A TIFF an image, each cell a number, for napari, CellProfiler or Python',
    },
    'imagej-rois': { name: 'ImageJ ROIs', what: 'Outlines for the ROI Manager of Fiji' },
    geojson: { name: 'GeoJSON', what: 'Outlines for QuPath' },
    coco: { name: 'COCO', what: 'Outlines, boxes and scores for training and judging models' },
    ndjson: { name: 'NDJSON', what: 'All that is known, a line an image, for scripts' },
  },
  rows: 'Exports',
  row: (name: string, state: string) => `${name}: ${state}`,
  asked: 'asked for',
  queued: 'waits for its turn',
  ready: (size: string) => `ready, ${size}`,
  failed: (why: string) => `failed. ${why}`,
  unknownWhy: 'The service does not say why.',
  download: 'Download',
  downloadOf: (name: string) => `Download ${name}`,
  tryAgainOf: (name: string) => `Try again: ${name}`,
  forget: (name: string) => `Remove ${name} from this list`,
  lost: (why: string) => `${why} How far the exports are is not known; asking again.`,
  /** Beside the menu's name. */
  someFailed: (count: string) => `${count} failed`,
  said: {
    and: ', ',
    ready: (names: string) => `Export ready: ${names}`,
    failed: (name: string, why: string) => `Export of ${name} failed. ${why}`,
  },
} as const;
