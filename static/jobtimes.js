/** How long a job took and how long it will take. */

import { clock, UNKNOWN } from './format.js';
import { isActive } from './states.js';

/** Seconds left: what the station said, less what has passed since, while it works. */
export function remaining(job) {
  if (typeof job.eta_seconds !== 'number' || !isActive(job)) return null;
  const passed = job.state === 'RUNNING' && job.heard ? (performance.now() - job.heard) / 1000 : 0;
  return Math.max(0, job.eta_seconds - Math.min(passed, 3));
}

/** Seconds since it began. */
export function sinceStart(job) {
  if (typeof job.total_time_seconds === 'number') return job.total_time_seconds;
  const from = Date.parse(job.started_at ?? '');
  return Number.isNaN(from) ? null : (Date.now() - from) / 1000;
}

/** How long it took, or has taken so far, in words. */
export function tookOf(job) {
  const from = Date.parse(job.started_at ?? '');
  const until = isActive(job) ? Date.now() : Date.parse(job.finished_at ?? '');
  return Number.isNaN(from) || Number.isNaN(until) ? UNKNOWN : clock((until - from) / 1000);
}
