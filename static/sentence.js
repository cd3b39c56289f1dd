/**
 * The sentence on top: is anything wrong, what runs, does anything need a person? One pure function
 * of the state; it is also the page's title, its icon's meaning and what a screen reader announces,
 * so it never holds a figure that changes by itself.
 */

import { atStop, stopSentence } from './calls.js';
import { plural } from './format.js';
import { isBeyondReach, isRed, machineFor, sentenceOf } from './reportwords.js';
import { DEVICE, isActive } from './states.js';

const NAMED = 2;

/** `{text, lead, rest, meaning}` for the whole station; `text` is `lead` and `rest` in one. */
export function sentence(state) {
  const { lead, rest = '', meaning } = parts(state);
  return { text: rest === '' ? lead : `${lead} ${rest}`, lead, rest, meaning };
}

function parts(state) {
  const link = linkSentence(state.connection);
  if (link) return link;
  const stop = estopSentence(state);
  if (stop) return stop;
  const needs = whatNeedsAPerson(state);
  const troubles = whatMendsItself(state);
  const work = whatRuns(state);
  const queue = queueStates(state.queue);
  if (needs.length > 0) {
    const meaning = needs.some((need) => need.bad) ? 'bad' : 'attention';
    return { lead: needSentence(needs), rest: [work, ...queue.map(sentenceOf)].join(' '), meaning };
  }
  if (queue.length > 0) troubles.unshift(...queue);
  if (troubles.length > 0) return { lead: `${list(troubles).replace(/^the queue/, 'The queue')}.`, rest: work, meaning: 'attention' };
  return { lead: 'All well.', rest: work, meaning: works(state) ? 'active' : 'good' };
}

function linkSentence({ phase }) {
  if (phase === 'unauthorized') return { lead: 'This station asks for its API key.', meaning: 'attention' };
  if (phase === 'connecting') return { lead: 'Connecting to the station…', meaning: 'neutral' };
  if (phase === 'lost') return { lead: 'No connection to the station.', rest: 'What you see is frozen.', meaning: 'bad' };
  return null;
}

function estopSentence(state) {
  const stopped = [...state.devices.values()].filter((device) => device.estop);
  if (stopped.length === 0) return null;
  const open = stopped.filter((device) => !device.estop.confirmed);
  if (open.length > 0) {
    return { lead: `Emergency stop of ${list(names(open))} is NOT CONFIRMED.`, rest: 'Cut the power at the machine.', meaning: 'bad' };
  }
  return { lead: `Emergency stop confirmed by ${list(names(stopped))}.`, rest: 'Clear it once it is safe.', meaning: 'bad' };
}

/** Everything that waits for a person, the worst first. */
function whatNeedsAPerson(state) {
  const needs = [];
  const need = (bad, what, alone = `${what}: it needs you.`) => needs.push({ bad, what, alone });
  for (const device of state.devices.values()) {
    if (device.status === 'alarm') need(true, `${device.name} is in alarm`);
    if (device.status === 'error') need(true, `${device.name} has an error`);
  }
  for (const daemon of state.daemons.values()) {
    if (daemon.state === 'FAILED') need(true, `${daemon.name} has failed`);
    else if (daemon.state === 'RUNNING' && daemon.health?.status === 'unhealthy') need(true, `${daemon.name} is unhealthy`);
  }
  // A machine that stands and waits comes before a job that has not begun.
  for (const job of jobs(state, 'PAUSED').filter(atStop)) need(false, stopSentence(job).replace(/\.$/, ''), stopSentence(job));
  for (const job of jobs(state, 'INTERRUPTED')) need(false, `${job.name} was interrupted`, `${job.name} was interrupted: decide.`);
  for (const job of jobs(state, 'HELD')) {
    if (!isRed(job)) need(false, `${job.name} is held`);
    else if (isBeyondReach(job, machineFor(state, job)?.envelope)) need(false, `${job.name} leaves the machine’s reach`, `${job.name} leaves the machine’s reach: it is held.`);
    else need(false, `${job.name} is red`, `${job.name} should not run as it is: it is held.`);
  }
  return needs.sort((one, other) => other.bad - one.bad);
}

/** What a person may want to know although the station copes. */
function whatMendsItself(state) {
  const troubles = [];
  for (const daemon of state.daemons.values()) {
    if (daemon.state === 'BACKOFF') troubles.push(`${daemon.name} is restarting`);
    else if (daemon.state === 'RUNNING' && daemon.health?.status === 'degraded') troubles.push(`${daemon.name} is degraded`);
  }
  for (const job of jobs(state, 'PAUSED')) if (!atStop(job)) troubles.push(`${job.name} is paused`);
  const word = state.station.status;
  if (troubles.length === 0 && (word === 'degraded' || word === 'unhealthy')) troubles.push(`The station is ${word}`);
  return troubles;
}

/** The queue, or a machine's part of it, starts nothing or takes nothing. */
function queueStates({ parts }) {
  return parts.map(({ device, mode }) => `${device ? `the queue of ${device}` : 'the queue'} is ${mode}`);
}

function needSentence(needs) {
  if (needs.length === 1) return needs[0].alone;
  const things = list(needs.map((need) => need.what));
  return `${plural(needs.length, 'thing needs', 'things need')} you: ${things}.`;
}

function whatRuns(state) {
  const machines = [...state.devices.values()].filter((device) => device.status === 'busy').length;
  const programs = jobs(state, 'RUNNING').filter((job) => job.kind === 'command').length;
  const waiting = waitingCount(state);
  const parts = [];
  if (machines > 0) parts.push(`${plural(machines, 'machine')} working`);
  if (programs > 0) parts.push(`${plural(programs, 'program')} running`);
  if (parts.length === 0) parts.push('Nothing is running');
  parts.push(waiting > 0 ? `${plural(waiting, 'job')} waiting` : 'nothing waiting');
  if (machines + programs === 0 && waiting === 0) return 'Nothing is running or waiting.';
  return `${parts.join(', ')}.`;
}

const works = (state) => [...state.jobs.values()].some(isActive) || [...state.devices.values()].some((device) => DEVICE[device.status]?.word === 'busy');

/** How many jobs wait: those that are known, or the station's figure if there are more than were read. */
export function waitingCount(state) {
  const seen = jobs(state, 'QUEUED').length;
  return state.moreJobs ? Math.max(seen, state.station.queue_length ?? 0) : seen;
}

const jobs = (state, word) => [...state.jobs.values()].filter((job) => job.state === word);
const names = (things) => things.map((thing) => thing.name);

function list(things) {
  const named = things.slice(0, NAMED);
  const more = things.length - named.length;
  if (more > 0) named.push(`${more} more`);
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}
