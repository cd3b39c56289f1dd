/** Daemons: a calm line each on the overview, and the table with their controls. */

import { actionButton, outcome } from './actions.js';
import { daemonPath, post } from './api.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { plural, span, UNKNOWN } from './format.js';
import { empty, panel, row, shape, stateChip, table, why } from './parts.js';
import { DAEMON, daemonMeaning, HEALTH, lookUp } from './states.js';

/** The state's row with the meaning of the daemon as a whole. */
const rowOf = (daemon) => ({ ...lookUp(DAEMON, daemon.state), meaning: daemonMeaning(daemon) });

/** "restarts in 4 s", counted here from the moment the station gave. */
export function countdown(daemon, now = Date.now()) {
  const at = Date.parse(daemon.next_restart_at ?? '');
  if (daemon.state !== 'BACKOFF' || Number.isNaN(at)) return '';
  const seconds = Math.ceil((at - now) / 1000);
  return seconds > 0 ? `restarts in ${seconds} s` : 'restarts now';
}

function wordOf(daemon) {
  if (daemon.state === 'BACKOFF') return countdown(daemon) || 'backing off';
  const health = daemon.health?.status;
  if (daemon.state === 'RUNNING' && health && health !== 'healthy' && health !== 'unknown') return lookUp(HEALTH, health).word;
  return lookUp(DAEMON, daemon.state).word;
}

/** What is worth saying beside the state; `ok` says nothing. */
function messageOf(daemon) {
  if (daemon.state === 'BACKOFF' || daemon.state === 'FAILED') return daemon.last_error || daemon.health?.message || '';
  const message = daemon.health?.message ?? '';
  return message === 'ok' ? '' : message;
}

/** The overview's panel. */
export function daemonPanel() {
  const list = h('ul', { class: 'daemon-list' });
  const render = keyed(list);
  const part = panel('Daemons', { id: 'daemon-panel' }, list);
  part.tools.append(h('a', { href: '#/daemons', class: 'more' }, 'All daemons'));
  return {
    element: part.element,
    update(state) {
      const daemons = byName(state);
      part.note(summary(daemons));
      render(daemons, (daemon) => daemon.name, daemonLine);
    },
  };
}

/** "7 running, 1 restarting", each group that has any. */
function summary(daemons) {
  const number = (word) => daemons.filter((daemon) => daemon.state === word).length;
  const groups = [['RUNNING', 'running'], ['STARTING', 'starting'], ['BACKOFF', 'restarting'], ['FAILED', 'failed'], ['STOPPED', 'stopped']];
  return groups.filter(([word]) => number(word) > 0).map(([word, shown]) => `${number(word)} ${shown}`).join(', ');
}

function daemonLine(first) {
  const mark = shape('neutral');
  const word = h('span', { class: 'daemon-word' });
  const message = h('span', { class: 'note clamp' });
  const element = h('li', { data: { daemon: first.name } }, mark.element, h('span', { class: 'daemon-name' }, first.name), word, message);
  return {
    element,
    update(daemon) {
      const meaning = daemonMeaning(daemon);
      attribute(element, 'data-meaning', meaning);
      attribute(element, 'data-state', daemon.state);
      mark.update(meaning);
      text(word, wordOf(daemon));
      const restarts = daemon.restarts > 0 ? plural(daemon.restarts, 'restart') : '';
      text(message, [messageOf(daemon), restarts].filter(Boolean).join(' · '));
    },
  };
}

const COLUMNS = [
  { title: 'State', class: 'cell-state' },
  { title: 'Daemon', class: 'cell-main' },
  { title: 'Health', class: 'cell-health' },
  { title: 'Restarts', class: 'figures' },
  { title: 'Up for', class: 'figures' },
  { title: 'Actions', class: 'cell-actions' },
];

/** The view of all daemons. */
export function daemonsView(app) {
  const note = h('span', { class: 'note' });
  const { element: list, body } = table('Daemons of this station', COLUMNS);
  const render = keyed(body);
  const nothing = empty('No daemons are known yet.', 'Built-in daemons start with the station; add your own under ', h('code', {}, 'daemons:'), ' in its configuration.');
  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Daemons'), note), list, nothing);
  return {
    title: 'Daemons',
    element,
    update(state) {
      const daemons = byName(state);
      text(note, summary(daemons));
      show(nothing, state.loaded && daemons.length === 0);
      show(list, daemons.length > 0);
      render(daemons, (daemon) => daemon.name, (daemon) => daemonRow(app, daemon.name));
    },
  };
}

function daemonRow(app, name) {
  const chip = stateChip();
  const reason = why();
  const next = h('span', { class: 'note figures' });
  const description = h('span', { class: 'note' });
  const health = stateChip();
  const message = h('span', { class: 'note' });
  const restarts = h('span');
  const uptime = h('span');
  const controls = controlsPart(app, name);
  const cells = [[chip.element, reason.button, next], [h('strong', {}, name), description], [health.element, message, reason.cause], restarts, uptime, [controls.element, controls.refusal]];
  const element = row(COLUMNS, cells, { data: { daemon: name } });
  return {
    element,
    update(daemon) {
      const state = rowOf(daemon);
      attribute(element, 'data-state', daemon.state);
      chip.update(state, daemon.state);
      text(next, countdown(daemon));
      reason.update(daemon.last_error && daemon.state !== 'RUNNING' ? `${state.why} Last error: ${daemon.last_error}` : causeOf(daemon, state));
      text(description, daemon.description ?? '');
      health.update(lookUp(HEALTH, daemon.health?.status ?? 'unknown'));
      text(message, messageOf(daemon));
      text(restarts, String(daemon.restarts ?? UNKNOWN));
      const since = Date.parse(daemon.started_at ?? '');
      text(uptime, daemon.state === 'RUNNING' && !Number.isNaN(since) ? span((Date.now() - since) / 1000) : UNKNOWN);
      controls.update(daemon);
    },
  };
}

function causeOf(daemon, state) {
  const trouble = daemon.health?.status === 'degraded' || daemon.health?.status === 'unhealthy';
  const past = daemon.last_error ? ` It last went down because: ${daemon.last_error}` : '';
  return `${trouble ? `${daemon.health.message}.` : state.why}${past}`;
}

function controlsPart({ reading }, name) {
  const place = outcome();
  const act = (action) => async () => reading.take('daemon', await post(daemonPath(name, action)));
  const buttons = {
    start: actionButton({ label: 'Start', name: 'start', look: 'leading', place, act: act('start') }),
    restart: actionButton({ label: 'Restart', name: 'restart', place, act: act('restart'), ask: { question: () => `Restart ${name}?`, yes: 'Restart', no: 'Keep' } }),
    stop: actionButton({ label: 'Stop', name: 'stop', place, act: act('stop'), ask: { question: () => `Stop ${name}?`, yes: 'Stop daemon', no: 'Keep' } }),
  };
  for (const { button } of Object.values(buttons)) button.setAttribute('aria-label', `${button.textContent} ${name}`);
  return {
    element: h('div', { class: 'actions' }, Object.values(buttons).map((button) => button.element)),
    refusal: place.element,
    update(daemon) {
      const { actions } = lookUp(DAEMON, daemon.state);
      for (const [action, button] of Object.entries(buttons)) button.show(actions.includes(action));
    },
  };
}

const byName = (state) => [...state.daemons.values()].sort((one, other) => one.name.localeCompare(other.name));
