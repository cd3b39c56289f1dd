/** What is said of a daemon, in words. Pure functions; whatever a station leaves out is left out. */

import { plural, span } from './format.js';
import { DAEMON, daemonMeaning, HEALTH, lookUp } from './states.js';

/** The state's row with the meaning of the daemon as a whole. */
export const rowOf = (daemon) => ({ ...lookUp(DAEMON, daemon.state), meaning: daemonMeaning(daemon) });

/** "restarts in 4 s", counted here from the moment the station gave. */
export function countdown(daemon, now = Date.now()) {
  const at = Date.parse(daemon.next_restart_at ?? '');
  if (daemon.state !== 'BACKOFF' || Number.isNaN(at)) return '';
  const seconds = Math.ceil((at - now) / 1000);
  if (seconds <= 0) return 'restarts now';
  return `restarts in ${seconds < 120 ? `${seconds} s` : span(seconds)}`;
}

/** "restart 3 of 5", while it is down and comes back. */
export function attemptOf(daemon) {
  if (daemon.state !== 'BACKOFF' || !(daemon.attempt > 0)) return '';
  return daemon.max_restarts > 0 ? `restart ${daemon.attempt} of ${daemon.max_restarts}` : `restart ${daemon.attempt}`;
}

/** One word for the overview. */
export function wordOf(daemon) {
  if (daemon.state === 'BACKOFF') return countdown(daemon) || 'backing off';
  const health = daemon.health?.status;
  if (daemon.state === 'RUNNING' && health && health !== 'healthy' && health !== 'unknown') return lookUp(HEALTH, health).word;
  return lookUp(DAEMON, daemon.state).word;
}

/** What is worth saying beside the state; `ok` says nothing. */
export function messageOf(daemon) {
  if (daemon.state === 'BACKOFF' || daemon.state === 'FAILED') return daemon.last_error || daemon.health?.message || '';
  const message = daemon.health?.message ?? '';
  return message === 'ok' ? '' : message;
}

const GROUPS = [['RUNNING', 'running'], ['STARTING', 'starting'], ['BACKOFF', 'restarting'], ['FAILED', 'failed'], ['STOPPING', 'stopping'], ['STOPPED', 'stopped']];

/** "7 running, 1 restarting", each group that has any. */
export function summary(daemons) {
  const number = (word) => daemons.filter((daemon) => daemon.state === word).length;
  return GROUPS.filter(([word]) => number(word) > 0).map(([word, shown]) => `${number(word)} ${shown}`).join(', ');
}

/**
 * Why a daemon is as it is: `{since, causes: [{at, text}], next}`, as the station tells it, else
 * made of what is known here.
 */
export function chainOf(daemon) {
  if (daemon.why?.causes?.length > 0) return { since: daemon.why.since ?? null, causes: daemon.why.causes, next: daemon.why.next ?? '' };
  const state = lookUp(DAEMON, daemon.state);
  const trouble = daemon.health?.status === 'degraded' || daemon.health?.status === 'unhealthy';
  const texts = [state.why, trouble ? daemon.health.message : '', daemon.last_error ? `It last went down because: ${daemon.last_error}` : ''];
  return { since: null, causes: texts.filter(Boolean).map((text) => ({ at: null, text })), next: '' };
}

/** "needs db healthy: not yet", for one thing that a daemon needs. */
export function needWords({ condition, required, met }) {
  const how = { started: 'started', healthy: 'healthy', completed: 'completed' }[condition] ?? '';
  const so = met === null || met === undefined ? '' : met ? 'met' : 'not yet';
  return [required === false ? 'if present' : '', how, so].filter(Boolean).join(' · ');
}

/** At most `most` names, then how many more there are. */
export function listed(names, most = 4) {
  const shown = names.slice(0, most);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** What became of many at once: a sentence, and those that did not do as asked. */
export function outcomeOf(items) {
  const refused = items.filter((item) => !item.ok);
  const done = items.length - refused.length;
  const words = [done > 0 ? `${plural(done, 'daemon')}: ${didOf(items)}` : '', refused.length > 0 ? `${refused.length} did not` : ''].filter(Boolean).join('; ');
  return { words: words === '' ? 'There was nothing to do.' : `${words}.`, refused: refused.map(({ name, error, did }) => ({ name, error: error || did || 'no reason was given' })) };
}

/** What they did, each word once: PIDs and times differ from one to the next. */
function didOf(items) {
  const words = items.filter((item) => item.ok).map((item) => (item.did ?? 'done').replace(/\s*\(.*\)$/, ''));
  return [...new Set(words)].join(', ');
}
