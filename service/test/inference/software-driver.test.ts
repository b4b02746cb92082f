import { describe, expect, it } from 'vitest';
import { softwareDriver } from '../../src/inference/software-driver.ts';

const SWIFTSHADER = '/opt/chromium/libvk_swiftshader.so';
const LLVMPIPE = '/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so';
const INTEL = '/usr/lib/x86_64-linux-gnu/libvulkan_intel.so';
const NVIDIA = '/usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0';
const LOADER = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';

describe('the driver that computes', () => {
  it.each<[libraries: string[], devices: string[], found: string | null]>([
    [[LOADER, SWIFTSHADER], [], SWIFTSHADER],
    [[LOADER, LLVMPIPE], [], LLVMPIPE],
    // chosen by VK_DRIVER_FILES beside a GPU
    [[LOADER, SWIFTSHADER], ['renderD128'], SWIFTSHADER],
    [[LOADER, LLVMPIPE], ['renderD128'], LLVMPIPE],
    // Debian installs Mesa's drivers together, and all of them are loaded
    [[LOADER, INTEL, LLVMPIPE], [], LLVMPIPE],
    [[LOADER, INTEL, LLVMPIPE], ['renderD128'], null],
    [[LOADER, NVIDIA, LLVMPIPE], ['nvidia0'], null],
    [[LOADER, NVIDIA], ['nvidia0'], null],
    [[LOADER], [], null],
    [[], [], null],
  ])('with %j and %j is %j', (libraries, devices, found) => {
    expect(softwareDriver({ libraries, devices })).toBe(found);
  });

  it('is none of this process', () => {
    expect(softwareDriver()).toBeNull();
  });
});
