import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Slice, slicesOf, type TaskEndpoint } from '../../../src/traffic/endpoint-slices.ts';

const port = (number: number) => ({ name: 'lb', port: number, protocol: 'TCP' });
const endpoint = (number: number, fields: Partial<TaskEndpoint> = {}): TaskEndpoint => ({
  pod: { name: `web-${number}`, uid: `uid-${number}` },
  address: `10.0.${Math.floor(number / 250)}.${number % 250}`,
  ports: [port(80)],
  terminating: false,
  ...fields,
});
const uidsOf = (slices: readonly Slice[]): string[] =>
  slices.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.uid ?? ''));
const plan = (endpoints: readonly TaskEndpoint[], known: readonly Slice[] = []) =>
  slicesOf('edge', 'default', endpoints, known);

describe('the EndpointSlices of a core Service', () => {
  it('have an endpoint for each task, at most 100 a slice, the same ports and one family of addresses each', () => {
    const many = Array.from({ length: 150 }, (_, number) => endpoint(number));
    const other = endpoint(900, { ports: [port(8080)] });
    const more = endpoint(902, { ports: [port(80), port(81)] });
    const none = endpoint(903, { ports: [] });
    const six = endpoint(901, { address: 'fd00::1' });
    const slices = plan([...many, other, six, more, none]);
    expect(
      slices.map(({ name, endpoints, ports, addressType }) => [
        name,
        endpoints.length,
        ports.map((one) => one.port),
        addressType,
      ]),
    ).toEqual([
      ['edge-ipv4-80-1', 100, [80], 'IPv4'],
      ['edge-ipv4-80-2', 50, [80], 'IPv4'],
      ['edge-ipv4-8080-1', 1, [8080], 'IPv4'],
      ['edge-ipv6-80-1', 1, [80], 'IPv6'],
      ['edge-ipv4-80-3', 1, [80, 81], 'IPv4'],
      ['edge-ipv4-1', 1, [], 'IPv4'],
    ]);
  });

  it('send nothing new to a task that is being deleted, but what no other can take', () => {
    const [slice] = plan([endpoint(1, { terminating: true, node: 'node-1', zone: 'a' })]);
    expect(slice?.endpoints).toEqual([
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: false, serving: true, terminating: true },
        nodeName: 'node-1',
        zone: 'a',
        targetRef: { kind: 'Pod', name: 'web-1', namespace: 'default', uid: 'uid-1' },
      },
    ]);
  });

  it('change no more than what has changed, whoever comes and goes', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 300 });
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const first = plan(before.map((number) => endpoint(number)));
        const wanted = after.map((number) => endpoint(number));
        const second = plan(wanted, first);
        expect(uidsOf(second).sort()).toEqual(wanted.map(({ pod }) => pod.uid).sort());
        expect(plan(wanted, second)).toEqual(second);
        for (const { name, endpoints } of second) {
          expect(endpoints.length).toBeLessThanOrEqual(100);
          const old = first.find((slice) => slice.name === name);
          const stays = uidsOf(old === undefined ? [] : [old]).filter((uid) => uidsOf(second).includes(uid));
          // What stays, stays where it was.
          for (const uid of stays) expect(endpoints.some(({ targetRef }) => targetRef?.uid === uid)).toBe(true);
        }
      }),
    );
  });
});
