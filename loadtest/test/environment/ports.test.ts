import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, isPortFree, withFreePort } from '../../src/environment/ports.ts';
import { PortTakenError } from '../../src/environment/server-process.ts';

describe('withFreePort', () => {
  it('tries another port when the first was taken in between', async () => {
    const chosen = [1001, 1002];
    const tried: number[] = [];
    const start = async (port: number) => {
      tried.push(port);
      if (port === 1001) throw new PortTakenError('taken');
      return `on ${port}`;
    };
    expect(await withFreePort(start, async () => chosen.shift() ?? 0)).toBe('on 1002');
    expect(tried).toEqual([1001, 1002]);
  });

  it('gives up after five when every port is taken', async () => {
    let tries = 0;
    const start = async () => {
      tries += 1;
      throw new PortTakenError('taken');
    };
    await expect(withFreePort(start, async () => 1)).rejects.toThrow('taken');
    expect(tries).toBe(5);
  });

  it('does not try again when the failure is another one', async () => {
    let tries = 0;
    const start = async () => {
      tries += 1;
      throw new Error('no disk');
    };
    await expect(withFreePort(start)).rejects.toThrow('no disk');
    expect(tries).toBe(1);
  });
});

describe('isPortFree', () => {
  it('is false while somebody listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is true for a port that was just found free', async () => {
    expect(await isPortFree(await freePort())).toBe(true);
  });
});
