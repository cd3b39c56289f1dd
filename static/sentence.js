/**
 * The sentence on top: is anything wrong, what runs, does anything need a person? One pure function
 * of the state; it is also the page's title, its icon's meaning and what a screen reader announces,
 * so it never holds a figure that changes by itself. A phone shows a brief one, of two lines.
 */

import { atStop, stopSentence, stopWords } from './calls.js';
import { count, cut, cutName, plural } from './format.js';
import { countsOf, countWords } from './queuewords.js';
import { isBeyondReach, isRed, machineFor, sentenceOf } from './reportwords.js';
import { DEVICE, isActive } from './states.js';

const NAMED = 2;
const BRIEF_NAME = 18; // Characters.
const BRIEF = 66; // What two lines hold.

/** `{text, lead, rest, meaning}` for the whole station; `text` is `lead` and `rest` in one. */
export function sentence(state) {
  const { lead, rest = '', meaning } = parts(state);
  return { text: rest === '' ? lead : `${lead} ${rest}`, lead, rest, meaning };
}

/** The same as `{lead, rest}` in as few words as fit on two lines of a phone. */
export function briefSentence(state) {
  const { lead, rest = '' } = parts(state, true);
  return { lead: cut(lead, Math.max(BRIEF / 2, BRIEF - rest.length)), rest };
}

function parts(state, brief = false) {
  const link = linkSentence(state.connection);
  if (link) return link;
  const stop = brief ? briefEstop(state) : estopSentence(state);
  if (stop) return stop;
  const needs = whatNeedsAPerson(state, brief ? (name) => cutName(name, BRIEF_NAME) : (name) => name);
  const troubles = whatMendsItself(state);
  const work = brief ? briefWork(state) : whatRuns(state);
  const queue = queueStates(state.queue);
  if (needs.length > 0) {
    const meaning = needs.some((need) => need.bad) ? 'bad' : 'attention';
    return { lead: needSentence(needs, brief), rest: [work, ...queue.map(sentenceOf)].join(' '), meaning };
  }
  if (queue.length > 0) troubles.unshift(...queue);
  if (troubles.length > 0) return { lead: `${list(troubles).replace(/^the queue/, 'The queue')}.`, rest: work, meaning: 'attention' };
  // Nothing is wrong so far as is known, and little is known.
  if (!state.loaded) return { lead: 'Reading the station…', meaning: 'neutral' };
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

function briefEstop(state) {
  const stopped = [...state.devices.values()].filter((device) => device.estop);
  if (stopped.length === 0) return null;
  const open = stopped.filter((device) => !device.estop.confirmed);
  const which = (devices) => (devices.length === 1 ? cutName(devices[0].name, BRIEF_NAME) : `${devices.length} machines`);
  if (open.length > 0) return { lead: `Stop NOT CONFIRMED: ${which(open)}.`, rest: `Cut ${open.length === 1 ? 'its' : 'their'} power.`, meaning: 'bad' };
  return { lead: `Stop confirmed: ${which(stopped)}.`, rest: 'Clear it once it is safe.', meaning: 'bad' };
}

/** Everything that waits for a person, the worst first. `call` is how things are named. */
function whatNeedsAPerson(state, call) {
  const needs = [];
  const need = (bad, what, alone = `${what}: it needs you.`) => needs.push({ bad, what, alone });
  for (const device of state.devices.values()) {
    if (device.status === 'alarm') need(true, `${call(device.name)} is in alarm`);
    if (device.status === 'error') need(true, `${call(device.name)} has an error`);
  }
  for (const daemon of state.daemons.values()) {
    if (daemon.state === 'FAILED') need(true, `${call(daemon.name)} has failed`);
    else if (daemon.state === 'RUNNING' && daemon.health?.status === 'unhealthy') need(true, `${call(daemon.name)} is unhealthy`);
  }
  // A machine that stands and waits comes before a job that has not begun.
  for (const job of jobs(state, 'PAUSED').filter(atStop)) need(false, stopWords(job), stopSentence(job));
  for (const job of jobs(state, 'INTERRUPTED')) need(false, `${call(job.name)} was interrupted`, `${call(job.name)} was interrupted: decide.`);
  for (const job of jobs(state, 'HELD')) {
    const name = call(job.name);
    if (!isRed(job)) need(false, `${name} is held`);
    else if (isBeyondReach(job, machineFor(state, job)?.envelope)) need(false, `${name} leaves the machine’s reach`, `${name} leaves the machine’s reach: it is held.`);
    else need(false, `${name} is red`, `${name} should not run as it is: it is held.`);
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

function needSentence(needs, brief) {
  if (needs.length === 1) return needs[0].alone;
  if (brief) return `${needs.length} need you: ${needs[0].what}.`;
  const things = list(needs.map((need) => need.what));
  return `${plural(needs.length, 'thing needs', 'things need')} you: ${things}.`;
}

/** How many machines and programs are at work. */
function workers(state) {
  const machines = [...state.devices.values()].filter((device) => device.status === 'busy').length;
  const programs = jobs(state, 'RUNNING').filter((job) => job.kind === 'command').length;
  return { machines, programs };
}

function whatRuns(state) {
  const { machines, programs } = workers(state);
  const { waiting, held } = countsOf(state);
  if (machines + programs + waiting + held === 0) return 'Nothing is running or waiting.';
  const parts = [];
  if (machines > 0) parts.push(`${plural(machines, 'machine')} working`);
  if (programs > 0) parts.push(`${plural(programs, 'program')} running`);
  if (parts.length === 0) parts.push('Nothing is running');
  if (waiting > 0) parts.push(`${plural(waiting, 'job')} waiting`);
  // What is held does not wait for its turn: nothing of it starts by itself.
  if (held > 0) parts.push(waiting > 0 ? `${count(held)} held` : `${plural(held, 'job')} held`);
  if (waiting + held === 0) parts.push('nothing waiting');
  return `${parts.join(', ')}.`;
}

function briefWork(state) {
  const { machines, programs } = workers(state);
  const busy = machines + programs;
  const parts = [busy > 0 ? `${busy} working` : '', countWords(countsOf(state))].filter(Boolean);
  return parts.length > 0 ? `${parts.join(', ')}.` : 'Nothing is running.';
}

const works = (state) => [...state.jobs.values()].some(isActive) || [...state.devices.values()].some((device) => DEVICE[device.status]?.word === 'busy');

const jobs = (state, word) => [...state.jobs.values()].filter((job) => job.state === word);
const names = (things) => things.map((thing) => thing.name);

function list(things) {
  const named = things.slice(0, NAMED);
  const more = things.length - named.length;
  if (more > 0) named.push(`${more} more`);
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}
