/** One daemon in the table: its line, and below it what a person has opened: the cause, the log. */

import { actionButton, outcome } from './actions.js';
import { daemonPath, post } from './api.js';
import { logPanel, TAIL } from './livelog.js';
import { needList } from './daemonneeds.js';
import { needing, needsOf } from './daemonorder.js';
import { attemptOf, countdown, listed, messageOf, rowOf } from './daemonwords.js';
import { whyPanel } from './daemonwhy.js';
import { attribute, h, show, text, uniqueId } from './dom.js';
import { bytes, percent, span, UNKNOWN } from './format.js';
import { row, stateChip } from './parts.js';
import { DAEMON, HEALTH, lookUp } from './states.js';
import { strip } from './timeline.js';

export const COLUMNS = [
  { title: 'State', class: 'cell-state' },
  { title: 'Daemon', class: 'cell-main' },
  { title: 'History', class: 'cell-history' },
  { title: 'Restarts', class: 'cell-number figures' },
  { title: 'Up for', class: 'cell-number figures' },
  { title: 'PID', class: 'cell-number cell-machine figures' },
  { title: 'Memory', class: 'cell-number cell-machine figures' },
  { title: 'CPU', class: 'cell-number cell-machine figures' },
  { title: 'Actions', class: 'cell-actions' },
];

/** A stop takes as long as the program is allowed to, which the station knows. */
const PATIENCE = { timeout: 180000 };
/** For so long it stands what an action did. */
const SAID = 8000;
const PIECES = 24;

/**
 * `view` is `{app, choice, flip(list, name), reveal(name), daemons()}`; `update({daemon, depth, full})`
 * takes everything that it needs in full, or only what it waits for.
 */
export function daemonPart(view, name) {
  const line = mainLine(view, name);
  const element = h('tbody', { role: 'rowgroup', class: 'daemon' }, line.element);
  const cause = lid(() => whyPanel(name, view.reveal));
  const log = lid(() => logPanel(view.app, { name, channel: `daemon:${name}`, path: `${daemonPath(name, 'log')}?lines=${TAIL}` }, () => view.flip('log', name)));
  const dispose = () => [cause, log].forEach((part) => part.close());
  return {
    element,
    dispose,
    update({ daemon, depth, full }) {
      const [explained, read] = [view.choice.why.has(name), view.choice.log.has(name)];
      element.style.setProperty('--depth', String(Math.min(depth, 6)));
      line.update(daemon, { depth, full, explained, read });
      cause.update(element, explained, daemon);
      log.update(element, read, daemon);
    },
  };
}

/** A line below the daemon's own that is made when it is opened. */
function lid(make) {
  let part = null;
  let place = null;
  const close = () => {
    part?.dispose?.();
    place?.remove();
    part = null;
    place = null;
  };
  return {
    close,
    update(parent, open, daemon) {
      if (!open) {
        close();
        return;
      }
      if (part === null) {
        part = make();
        place = h('tr', { role: 'row', class: 'lid' }, h('td', { role: 'cell', colspan: COLUMNS.length }, part.element));
        parent.append(place);
      }
      part.update?.(daemon);
    },
  };
}

function mainLine(view, name) {
  const chip = stateChip();
  const why = h('button', { type: 'button', class: 'why', data: { action: 'why' }, 'aria-label': `Why is ${name} so?`, on: { click: () => view.flip('why', name) } }, 'why?');
  const next = h('span', { class: 'note figures' });
  const health = stateChip();
  const title = h('span', { class: 'note' });
  const message = h('span', { class: 'message' });
  const needs = needList(view.reveal);
  const past = strip(PIECES);
  const numbers = Object.fromEntries(['restarts', 'uptime', 'pid', 'memory', 'cpu'].map((key) => [key, h('span', { data: { figure: key } })]));
  const controls = controlsPart(view, name);
  const heading = h('strong', { id: uniqueId('daemon'), tabindex: '-1' }, name);
  const cells = [[chip.element, why, next], [heading, health.element, title, message, needs.element], past.element, ...Object.values(numbers), controls.element];
  const element = row(COLUMNS, cells, { class: 'daemon-line', data: { daemon: name } });
  return {
    element,
    update(daemon, { depth, full, explained, read }) {
      const state = rowOf(daemon);
      attribute(element, 'data-state', daemon.state);
      attribute(element, 'data-meaning', state.meaning);
      attribute(element, 'data-depth', depth > 0 ? depth : null);
      attribute(element, 'data-kind', daemon.kind ?? null);
      chip.update(state, daemon.state);
      attribute(why, 'aria-expanded', String(explained));
      text(next, [countdown(daemon), attemptOf(daemon)].filter(Boolean).join(' · '));
      show(next, next.textContent !== '');
      const unwell = daemon.state === 'RUNNING' && ['degraded', 'unhealthy'].includes(daemon.health?.status);
      show(health.element, unwell);
      health.update(lookUp(HEALTH, daemon.health?.status ?? 'unknown'));
      text(title, [daemon.title === name ? '' : daemon.title, daemon.description].filter(Boolean).join(' · '));
      text(message, messageOf(daemon));
      show(message, message.textContent !== '');
      needs.update(needsOf(daemon).filter((need) => full || (need.met === false && need.required !== false && daemon.state !== 'STOPPED')));
      past.update(daemon);
      for (const [key, words] of Object.entries(figuresOf(daemon))) {
        text(numbers[key], words);
        attribute(numbers[key], 'data-unknown', words === UNKNOWN);
      }
      controls.update(daemon, read);
    },
  };
}

function figuresOf(daemon) {
  const since = Date.parse(daemon.started_at ?? '');
  const cpu = daemon.cpu_usage;
  return {
    restarts: String(daemon.restarts ?? UNKNOWN),
    uptime: daemon.state === 'RUNNING' && !Number.isNaN(since) ? span((Date.now() - since) / 1000) : UNKNOWN,
    pid: String(daemon.pid ?? UNKNOWN),
    memory: bytes(daemon.memory_bytes ?? null),
    cpu: typeof cpu === 'number' ? percent(cpu * 100, cpu < 0.1 ? 1 : 0) : UNKNOWN,
  };
}

function controlsPart(view, name) {
  const place = outcome();
  const said = h('span', { class: 'note', role: 'status' });
  let clearing = null;
  const act = (action, body) => async () => {
    text(said, '');
    const { did, ...daemon } = await post(daemonPath(name, action), body, PATIENCE);
    view.app.reading.take('daemon', daemon);
    text(said, did ?? '');
    clearTimeout(clearing);
    clearing = setTimeout(() => text(said, ''), SAID);
  };
  /** What else goes down is said before it does. */
  const others = () => {
    const names = needing(view.daemons(), name);
    return names.length > 0 ? ` ${listed(names)} ${names.length === 1 ? 'needs' : 'need'} it.` : '';
  };
  const buttons = {
    start: actionButton({ label: 'Start', name: 'start', look: 'leading', place, act: act('start') }),
    restart: actionButton({ label: 'Restart', name: 'restart', place, act: act('restart'), ask: { question: () => `Restart ${name}?${others()}`, yes: 'Restart', no: 'Keep' } }),
    stop: actionButton({ label: 'Stop', name: 'stop', place, act: act('stop'), ask: { question: () => `Stop ${name}?${others()}`, yes: 'Stop', no: 'Keep' } }),
    kill: actionButton({ label: 'Kill', name: 'kill', look: 'danger', place, act: act('stop', { force: true }), ask: { question: () => `Kill ${name} at once? What it has not saved is lost.`, yes: 'Kill', no: 'Wait' } }),
  };
  for (const { button } of Object.values(buttons)) button.setAttribute('aria-label', `${button.textContent} ${name}`);
  const log = h('button', { type: 'button', data: { action: 'log' }, 'aria-label': `Log of ${name}`, on: { click: () => view.flip('log', name) } }, 'Log');
  return {
    element: [h('div', { class: 'actions' }, Object.values(buttons).map((button) => button.element), log), said, place.element],
    update(daemon, read) {
      const { actions } = lookUp(DAEMON, daemon.state);
      for (const [action, button] of Object.entries(buttons)) button.show(actions.includes(action) && (action !== 'kill' || daemon.kind === 'process'));
      show(log, daemon.kind === 'process' || Boolean(daemon.log_file));
      attribute(log, 'aria-expanded', String(read));
    },
  };
}
