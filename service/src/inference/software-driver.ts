import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Vulkan drivers that compute on the CPU: SwiftShader (of Chromium) and Mesa's llvmpipe. */
const SOFTWARE = /^libvk_swiftshader\.so|^libvulkan_lvp\.so/;
/** Those of devices: Mesa's, NVIDIA's, AMD's own. */
const HARDWARE = /^libvulkan_\w+\.so|^libGLX_nvidia\.so|^libnvidia-vulkan|^amdvlk/;

/** Libraries that this process has mapped, and devices that the system offers; empty where there is no /proc or no /dev/dri. */
function seen(): { libraries: string[]; devices: string[] } {
  const read = <T>(of: () => T[]): T[] => {
    try {
      return of();
    } catch {
      return [];
    }
  };
  const lines = read(() => readFileSync('/proc/self/maps', 'utf8').split('\n'));
  return {
    libraries: [...new Set(lines.map((line) => line.slice(line.indexOf('/'))).filter((path) => path.startsWith('/')))],
    devices: [
      ...read(() => readdirSync('/dev/dri')).filter((name) => name.startsWith('renderD')),
      ...read(() => readdirSync('/dev')).filter((name) => /^nvidia\d|^dxg$|^kfd$/.test(name)),
    ],
  };
}

/**
 * The software Vulkan driver that computes for this process, once a WebGPU session exists: WebGPU takes it without a word where there is
 * no GPU. Null where a GPU's driver is loaded as well and a GPU is there: which of the two was taken, nobody says.
 * @returns path of its library
 */
export function softwareDriver({ libraries, devices } = seen()): string | null {
  const found = libraries.find((path) => SOFTWARE.test(basename(path)));
  const others = libraries.filter((path) => HARDWARE.test(basename(path)) && !SOFTWARE.test(basename(path)));
  return found !== undefined && (others.length === 0 || devices.length === 0) ? found : null;
}
