import { openLedgerSocket } from '../../drivers/ledger-socket.ts';
import { uploadFiles } from '../../drivers/upload.ts';
import type { Bench } from '../bench.ts';

/** Phase 1: a project, a subscriber outside the page, and all images in parallel. */
export async function uploadPhase(bench: Bench): Promise<string> {
  const { services, scenario, set, folder, progress, signal } = bench;
  const project = await services.client.call('POST /api/projects', {
    body: { name: `${scenario.name} seed ${bench.seed}` },
  });
  bench.projectId = project.id;
  bench.socket = await openLedgerSocket({
    baseUrl: services.url,
    key: services.key,
    projectId: project.id,
    onFrame: (frame) => {
      if (frame.type !== 'events') return;
      const atMs = performance.timeOrigin + performance.now();
      const phase = bench.phases.at(-1)?.name;
      for (const event of frame.events) folder.event({ atMs, phase, ...event });
    },
  });
  const outcome = await uploadFiles({
    client: services.client,
    projectId: project.id,
    files: set.images,
    ...scenario.phases.upload,
    signal,
    onProgress: (done) => progress.update(done),
  });
  const { uploaded } = outcome;
  const rejected = [...set.unreadable, ...outcome.rejected];
  bench.upload = { ...outcome, rejected };
  if (uploaded.length === 0)
    throw new Error(
      `none of ${set.images.length + set.unreadable.length} images was accepted: ${rejected[0]?.message}`,
    );
  return `${uploaded.length} accepted, ${rejected.length} rejected`;
}
