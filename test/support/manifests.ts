/** Short forms of what most tests apply. */
import type { Manifest } from './suite.ts';

/** Has a health check, so that a task counts as healthy once it is ready, and not only after 40 s. */
export const webContainer = {
  name: 'web',
  image: 'httpd:2.4',
  memoryReservation: 8,
  healthCheck: { command: ['CMD-SHELL', 'healthcheck'], interval: 5, timeout: 2, retries: 3 },
};

/** Neither essential nor checked. */
export const sidecarContainer = { name: 'sidecar', image: 'busybox', memoryReservation: 8, essential: false };

export const version = (value: string): object => ({ environment: [{ name: 'VERSION', value }] });

export const taskDefinition = (name: string, spec: object = {}, containers: object[] = [webContainer]): Manifest => ({
  kind: 'TaskDefinition',
  name,
  spec: { containerDefinitions: containers, ...spec },
});

export const service = (name: string, spec: object = {}): Manifest => ({
  kind: 'Service',
  name,
  spec: { taskDefinition: name, desiredCount: 1, ...spec },
});

export const cluster = (name: string, spec: object = {}): Manifest => ({ kind: 'Cluster', name, spec });

/** One that is checked often and drains for as long as is said. */
export const targetGroup = (name: string, delaySeconds = 0, spec: object = {}): Manifest => ({
  kind: 'TargetGroup',
  name,
  spec: {
    protocol: 'HTTP',
    port: 80,
    healthCheckIntervalSeconds: 5,
    healthCheckTimeoutSeconds: 2,
    targetGroupAttributes: [{ key: 'deregistration_delay.timeout_seconds', value: String(delaySeconds) }],
    ...spec,
  },
});

/** How KWOK plays a pod (dev/cluster/kwok-stages.yaml). */
export const kwok = (asked: {
  exitAfter?: string;
  exitCode?: number;
  exitContainer?: string;
  failingChildren?: string;
  imageId?: string;
  readyAfter?: string;
  stopAfter?: string;
  stopCode?: number;
}): Record<string, string> => ({
  ...(asked.exitAfter !== undefined && { 'kwok.longshore.dev/exit-after': asked.exitAfter }),
  ...(asked.exitCode !== undefined && { 'kwok.longshore.dev/exit-code': String(asked.exitCode) }),
  ...(asked.exitContainer !== undefined && { 'kwok.longshore.dev/exit-container': asked.exitContainer }),
  ...(asked.failingChildren !== undefined && { 'kwok.longshore.dev/failing-children': asked.failingChildren }),
  ...(asked.imageId !== undefined && { 'kwok.longshore.dev/image-id': asked.imageId }),
  ...(asked.readyAfter !== undefined && { 'kwok.longshore.dev/ready-after': asked.readyAfter }),
  ...(asked.stopAfter !== undefined && { 'kwok.longshore.dev/stop-after': asked.stopAfter }),
  ...(asked.stopCode !== undefined && { 'kwok.longshore.dev/stop-code': String(asked.stopCode) }),
});
