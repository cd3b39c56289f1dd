/** How long a job took and how long it will take. */

import { clock } from './format.js';
import { isActive, isOver } from './states.js';

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

/**
 * How long it took, is running or has worked so far: `{label, words}`, or null if there is nothing to
 * say. Only what is over took any time; how long half a job has worked is known only while it is heard.
 */
export function durationOf(job) {
  if (isOver(job)) {
    const seconds = (Date.parse(job.finished_at ?? '') - Date.parse(job.started_at ?? '')) / 1000;
    return Number.isNaN(seconds) ? null : { label: 'Took', words: clock(seconds) };
  }
  if (job.state === 'RUNNING') return sinceStart(job) === null ? null : { label: 'Running for', words: clock(sinceStart(job)) };
  if (job.state === 'PAUSED' && typeof job.total_time_seconds === 'number') return { label: 'Worked so far', words: clock(job.total_time_seconds) };
  return null;
}
