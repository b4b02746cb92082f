import { describe, expect, it } from 'vitest';
import type { Image } from '#contract/images.ts';
import type { Api } from '../../../src/models/api.ts';
import { formatArea } from '../../../src/models/format.ts';
import { createViewer } from '../../../src/models/viewer/Viewer.ts';

const image = { id: '11111111-1111-4111-8111-111111111111', projectId: 'p' } as Image;
const viewerOf = (project: Promise<{ pixelSizeUm: number | null }>) => {
  const call = async (route: string) => (route === 'GET /api/projects/{id}' ? await project : image);
  return createViewer({ api: { call } as unknown as Api, imageId: image.id, onShapes: () => {} });
};

describe('the side of a pixel', () => {
  it('is not known before the project has been read: no area is told in a unit that changes, and files wait for it', async () => {
    const project = Promise.withResolvers<{ pixelSizeUm: number }>();
    const viewer = viewerOf(project.promise);
    await viewer.start();
    const kept = viewer.pixelSizeOf(image);
    expect(formatArea(576, viewer.pixelSizeUm.value)).toBe('…');
    project.resolve({ pixelSizeUm: 0.5 });
    expect(await kept).toBe(0.5);
    expect(formatArea(576, viewer.pixelSizeUm.value)).toBe('144 µm²');
  });

  it('is none where the project has none', async () => {
    const viewer = viewerOf(Promise.resolve({ pixelSizeUm: null }));
    await viewer.start();
    expect(await viewer.pixelSizeOf(image)).toBeNull();
    expect(formatArea(576, viewer.pixelSizeUm.value)).toBe('576 px²');
  });

  it('stays unknown where the project cannot be read: no file is written as if there were none', async () => {
    const viewer = viewerOf(Promise.reject(new Error('nobody answers')));
    await viewer.start();
    await expect.poll(() => viewer.error.value).toBe('nobody answers');
    await expect(viewer.pixelSizeOf(image)).rejects.toThrow('nobody answers');
    expect(formatArea(576, viewer.pixelSizeUm.value)).toBe('…');
  });
});
