/** Pods of a service as an API server has them: compiled by Longshore, then run by a kubelet. */
import { parseTaskDefinition } from '../../src/api/task-definition.ts';
import { compileTemplate } from '../../src/pod/compile.ts';
import type { PodJson } from '../../src/pod/observe.ts';
import { stampPod } from '../../src/pod/stamp.ts';

const template = compileTemplate({
  definition: parseTaskDefinition({
    family: 'web',
    cpu: '256',
    memory: '512',
    containerDefinitions: [
      {
        name: 'app',
        image: '111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop/web:2026-11-22',
        essential: true,
        portMappings: [{ containerPort: 8080 }],
        environment: Array.from({ length: 12 }, (_, index) => ({
          name: `SETTING_${index}`,
          value: `value-${index}-of-the-shop-in-production`,
        })),
        healthCheck: { command: ['CMD-SHELL', 'curl -f http://localhost:8080/health || exit 1'] },
      },
      { name: 'proxy', image: 'envoyproxy/envoy:v1.36', essential: true, memoryReservation: 64 },
    ],
  }),
  family: 'web',
  revision: 7,
});

const started = '2026-11-22T08:00:00Z';
const hex = (index: number, digits: number): string => index.toString(16).padStart(digits, '0');

/** The pod of task number `index`: about 8 KB of JSON, each with names, addresses and ids of its own. */
export function runningPod(index: number, resourceVersion: number): PodJson {
  const owner = { apiVersion: 'longshore.dev/v1alpha1', kind: 'Service', name: `web-${index % 100}` };
  const pod = stampPod(template, {
    namespace: `shop-${index % 20}`,
    name: `web-${index % 100}-1-${index}-1`,
    task: hex(index, 32),
    labels: { 'longshore.dev/service': `web-${index % 100}`, 'longshore.dev/deployment': '1234567890123456789' },
    annotations: { 'longshore.dev/service': `web-${index % 100}` },
    owner: {
      ...owner,
      uid: `0a1b2c3d-0000-4000-8000-${hex(index % 100, 12)}`,
      controller: true,
      blockOwnerDeletion: true,
    },
    environment: [],
  }) as PodJson & { readonly metadata: object; readonly spec: object };
  const statusOf = (name: string) => ({
    name,
    ready: true,
    started: true,
    restartCount: 0,
    image: 'registry/image:tag',
    imageID: `registry/image@sha256:${hex(index, 64)}`,
    containerID: `containerd://${hex(index, 64)}`,
    state: { running: { startedAt: started } },
    resources: { requests: { cpu: '128m', memory: '256Mi' }, limits: { cpu: '256m', memory: '512Mi' } },
  });
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: started });
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      uid: `4d5e6f70-0000-4000-8000-${hex(index, 12)}`,
      resourceVersion: String(resourceVersion),
      creationTimestamp: started,
      managedFields: ['longshore', 'kube-scheduler', 'kubelet'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: started,
        fieldsType: 'FieldsV1',
        fieldsV1: Object.fromEntries(
          Array.from({ length: 12 }, (_, field) => [`f:field${field}`, { '.': {}, 'f:name': {}, 'f:value': {} }]),
        ),
      })),
    },
    spec: { ...pod.spec, nodeName: `node-${index % 50}.eu-central-1.compute.internal` },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      hostIP: `10.0.${index % 50}.1`,
      podIP: `10.${(index >> 8) % 256}.${index % 256}.2`,
      startTime: started,
      qosClass: 'Burstable',
      containerStatuses: ['app', 'proxy'].map(statusOf),
    },
  } as PodJson;
}
