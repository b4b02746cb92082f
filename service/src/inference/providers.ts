/** ONNX Runtime's names, and `webgpu-software`: WebGPU on a Vulkan driver that computes on the CPU, to try the way without a GPU. */
export const PROVIDERS = ['cpu', 'webgpu', 'webgpu-software', 'cuda', 'coreml', 'dml'] as const;
export type Provider = (typeof PROVIDERS)[number];
