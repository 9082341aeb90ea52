import { describe, expect, it } from 'vitest';
import { type Draining, drainEndDue, getsRequests } from '../../../src/ecs/drain.ts';
import type { Container } from '../../../src/ecs/task.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const target: Container = {
  name: 'web',
  essential: true,
  status: 'RUNNING',
  ready: true,
  endpoints: [{ service: 'public', port: 80, protocol: 'tcp', portName: 'public', arn: 'public' }],
};
const helper: Container = { name: 'helper', essential: true, status: 'RUNNING', ready: true };
const task = (containers: readonly Container[], fields: Partial<Draining> = {}): Draining => ({
  id: 'a',
  createdAt: NOW,
  containers,
  ended: false,
  stopRequested: false,
  ...fields,
});
const ended: Container = { ...helper, status: 'STOPPED', exitCode: 1 };

describe('a task that stops', () => {
  it('has requests to finish where it is a healthy target, and none where it answers none', () => {
    expect(getsRequests(task([target, helper]))).toBe(true);
    expect(getsRequests(task([{ ...target, ready: false }, helper]))).toBe(false);
    expect(getsRequests(task([{ ...target, status: 'PENDING', ready: false }, helper]))).toBe(false);
    expect(getsRequests(task([target, ended]))).toBe(false);
    expect(getsRequests(task([target, { ...ended, essential: false }]))).toBe(true);
    expect(getsRequests(task([helper]))).toBe(false);
    const name: Container = {
      ...target,
      endpoints: [{ service: 'name', port: 80, protocol: 'tcp', portName: 'name' }],
    };
    expect(getsRequests(task([name]))).toBe(false);
  });

  it('is told to end so that its SIGTERM comes with the end of the delay', () => {
    const drainingUntil = NOW + 60_000;
    const draining = { drainingUntil, pauseMs: 15_000 };
    expect(drainEndDue(task([target], draining), NOW)).toBe(NOW + 45_000);
    expect(drainEndDue(task([{ ...target, ready: false }], draining), NOW)).toBe(NOW + 45_000);
    expect(drainEndDue(task([target], { drainingUntil }), NOW)).toBe(drainingUntil);
  });

  it('is told at once where nothing answers any more, and never twice', () => {
    const drainingUntil = NOW + 60_000;
    expect(drainEndDue(task([target, ended], { drainingUntil }), NOW)).toBe(NOW);
    expect(drainEndDue(task([{ ...target, status: 'STOPPED' }], { drainingUntil }), NOW)).toBe(NOW);
    expect(drainEndDue(task([target], { drainingUntil, terminating: true }), NOW)).toBeUndefined();
    expect(drainEndDue(task([target], { drainingUntil, ended: true }), NOW)).toBeUndefined();
    expect(drainEndDue(task([target]), NOW)).toBeUndefined();
  });
});
