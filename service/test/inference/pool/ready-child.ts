import type { FromChild } from '../../../src/inference/pool/protocol.ts';

/** A child that is ready at once and does nothing. Ends with its parent. */
const ready: FromChild = { type: 'ready', measured: [], rssBytes: 0 };
process.on('disconnect', () => process.exit(0));
process.send!(ready);
