/** The order of the jobs that wait, and what a move in it asks of the station. Pure functions. */

import { isOver } from './states.js';

const RECENT = 3;
const RANK = ['RUNNING', 'PAUSED', 'INTERRUPTED', 'HELD', 'QUEUED'];

/**
 * What the queue shows, in its order: at work, waiting for a person, next, and the last few done.
 * `order` are the ids of waiting jobs as the station said; what it did not name comes after.
 */
export function queueOrder(jobs, order = []) {
  const rank = (job) => RANK.indexOf(job.state);
  const turns = new Map(order.map((id, turn) => [id, turn]));
  const turn = (job) => turns.get(job.id) ?? Infinity;
  const byTurn = (one, other) => rank(one) - rank(other) || compare(turn(one), turn(other)) || (other.priority ?? 0) - (one.priority ?? 0) || (one.id < other.id ? -1 : 1);
  const open = jobs.filter((job) => !isOver(job)).sort(byTurn);
  const ended = (job) => Date.parse(job.finished_at ?? '') || 0;
  const over = jobs.filter(isOver).sort((one, other) => ended(other) - ended(one));
  return [...open, ...over.slice(0, RECENT)];
}

const compare = (one, other) => (one === other ? 0 : one - other); // Infinity less Infinity is no number.

/** The ids of `ids` with `id` moved to the index `to`. */
export function moved(ids, id, to) {
  const rest = ids.filter((other) => other !== id);
  rest.splice(Math.max(0, Math.min(rest.length, to)), 0, id);
  return rest;
}

/** What is sent so that `id` stands where `ids` has it: before its next one, or at the end. */
export function placeIn(ids, id) {
  const next = ids[ids.indexOf(id) + 1];
  return next === undefined ? { place: 'last' } : { before: next };
}

/** Where each way to move leads, or null if it leads nowhere. */
export function destination(ids, id, way) {
  const at = ids.indexOf(id);
  const to = { first: 0, up: at - 1, down: at + 1, last: ids.length - 1 }[way];
  return at < 0 || to === at || to < 0 || to >= ids.length ? null : to;
}
