/** How many jobs wait, and what each of them waits for, in words. Pure functions. */

import { count } from './format.js';

/** How many wait for their turn and how many are held: those that are known, or more if the station counts more than were read. */
export function countsOf(state) {
  const seen = (word) => [...state.jobs.values()].filter((job) => job.state === word).length;
  const number = (word, told) => (state.moreJobs ? Math.max(seen(word), told ?? 0) : seen(word));
  return { waiting: number('QUEUED', state.queue.queued), held: number('HELD', state.queue.held) };
}

/** "1 waiting, 2 held"; nothing if there are none. */
export const countWords = ({ waiting, held }) => [waiting > 0 ? `${count(waiting)} waiting` : '', held > 0 ? `${count(held)} held` : ''].filter(Boolean).join(', ');

/**
 * What a waiting job waits for, or null if it does not wait or that is not known: `{words, person, job, href, after}`.
 * `person` is true if nothing happens until somebody decides; `job` is the name of the job that is in
 * its way, which stands between the words and those `after`, and `href` leads to it.
 */
export function waitOf(state, job) {
  const told = job.state === 'QUEUED' ? state.queue.waits.get(job.id) : null;
  if (!told) return null;
  const { waitsFor, why, blockedBy } = told;
  const person = waitsFor === 'person';
  if (!blockedBy) return { words: why, person, job: null, href: null, after: '' };
  const other = state.jobs.get(blockedBy);
  const name = other?.name ?? 'another job';
  const href = `#/jobs/${encodeURIComponent(blockedBy)}`;
  if (!person) return { words: 'after', person, job: name, href, after: '' };
  return { words: 'first decide on', person, job: name, href, after: `, which was interrupted on ${other?.device ?? job.device ?? 'its machine'}` };
}

/** The same in one line, for where nothing can be a link. */
export const waitWords = (wait) => (wait === null ? '' : [wait.words, wait.job].filter(Boolean).join(' '));

/** How many jobs wait until this one has ended or a person has decided on it. */
export const waitingBehind = (state, job) => [...state.queue.waits.values()].filter((wait) => wait.blockedBy === job.id).length;

/** The job that was interrupted on a machine and waits there for a decision; the newest, if there are several. */
export function lyingOn(state, device) {
  const lying = [...state.jobs.values()].filter((job) => job.state === 'INTERRUPTED' && job.device === device.name);
  return lying.sort((one, other) => (one.id < other.id ? 1 : -1))[0] ?? null;
}
