/** Why a daemon is in its state: what led to it, what comes next, its last error, its past, its facts. */

import { h, keyed, show, text } from './dom.js';
import { needList } from './daemonneeds.js';
import { needsOf } from './daemonorder.js';
import { attemptOf, chainOf, countdown } from './daemonwords.js';
import { bytes, moment } from './format.js';
import { clean } from './loglines.js';
import { stateChip } from './parts.js';
import { HEALTH, lookUp } from './states.js';
import { changeList, strip } from './timeline.js';

/** `reveal(name)` is called for a daemon that is named here. */
export function whyPanel(name, reveal) {
  const chain = h('ol', { class: 'chain' });
  const renderChain = keyed(chain);
  const next = h('span');
  const soon = h('strong', { class: 'figures' });
  const nextLine = h('p', { class: 'chain-next' }, h('span', { class: 'note' }, 'Next'), soon, next);
  const error = lastError(name);
  const needs = needList(reveal);
  const needPart = section('Needs', needs.element);
  const past = strip(50);
  const changes = changeList();
  const pastPart = section('History', past.element, h('details', {}, h('summary', {}, 'All changes'), changes.element));
  const facts = factPart();
  const left = h('div', { class: 'why-main' }, section('Why', chain, nextLine), error.element, pastPart);
  const right = h('div', { class: 'why-side' }, needPart, section('Facts', facts.element));
  return {
    element: h('div', { class: 'why-panel', role: 'group', 'aria-label': `Why ${name} is as it is` }, left, right),
    update(daemon) {
      const { since, causes, next: follows } = chainOf(daemon);
      const timed = causes.map((cause, index) => ({ ...cause, at: cause.at ?? (index === 0 ? since : null), index }));
      renderChain(timed, (cause) => cause.index, causeLine);
      text(soon, [countdown(daemon), attemptOf(daemon)].filter(Boolean).join(' · '));
      text(next, follows);
      show(soon, soon.textContent !== '');
      show(nextLine, soon.textContent !== '' || follows !== '');
      error.update(daemon);
      const needed = needsOf(daemon);
      needs.update(needed);
      show(needPart, needed.length > 0);
      past.update(daemon);
      changes.update(daemon);
      show(pastPart, daemon.timeline?.length > 0);
      facts.update(daemon);
    },
  };
}

const section = (title, ...children) => h('section', {}, h('h3', {}, title), ...children);

function causeLine() {
  const time = h('time', { class: 'note figures' });
  const words = h('span');
  return {
    element: h('li', {}, time, words),
    update({ at, text: said }) {
      text(time, at ? moment(at) : '');
      text(words, said);
    },
  };
}

/** What it said before it last went down. */
function lastError(name) {
  const words = h('p', { class: 'error-words' });
  const lines = h('div', { class: 'transcript mono', tabindex: '0', role: 'group', 'aria-label': `Last lines of ${name} before it went down` });
  const render = keyed(lines);
  const title = h('h3');
  const element = h('section', { class: 'last-error' }, title, words, lines);
  return {
    element,
    update(daemon) {
      const written = (daemon.last_lines ?? []).map(clean);
      show(element, Boolean(daemon.last_error) || written.length > 0);
      text(title, daemon.state === 'RUNNING' ? 'Last error, before it was started again' : 'Last error');
      text(words, daemon.last_error ?? '');
      show(words, Boolean(daemon.last_error));
      show(lines, written.length > 0);
      render(written.map((line, index) => ({ line, index })), ({ index }) => index, plainLine);
    },
  };
}

function plainLine() {
  const element = h('p');
  return { element, update: ({ line }) => text(element, line) };
}

/** What is known and unknown elsewhere; what a station does not tell is left out. */
const FACTS = [
  ['Health', null],
  ['Kind', (daemon) => ({ builtin: 'part of the station', process: 'a program of its own' })[daemon.kind] ?? ''],
  ['PID', (daemon) => daemon.pid ?? ''],
  ['Running since', (daemon) => (daemon.started_at && daemon.state === 'RUNNING' ? moment(daemon.started_at) : '')],
  ['Memory', (daemon) => (typeof daemon.memory_bytes === 'number' ? bytes(daemon.memory_bytes) : '')],
  ['Restarts in all', (daemon) => daemon.restarts_total ?? ''],
  ['Given up after', (daemon) => (daemon.max_restarts > 0 ? `${daemon.max_restarts} in a row` : '')],
  ['Last exit', (daemon) => daemon.last_exit ?? ''],
  ['Restarts at', (daemon) => (daemon.next_restart_at && daemon.state === 'BACKOFF' ? moment(daemon.next_restart_at) : '')],
  ['Limits', (daemon) => (daemon.limits ?? []).join(', ')],
  ['Profiles', (daemon) => (daemon.profiles ?? []).join(', ')],
  ['Log', (daemon) => daemon.log_file ?? ''],
  ['Critical', (daemon) => (daemon.critical ? 'yes: the station is unhealthy without it' : '')],
];

function factPart() {
  const health = stateChip();
  const parts = FACTS.map(([label, of]) => {
    const value = of === null ? h('dd', {}, health.element) : h('dd');
    return { of, value, element: h('div', {}, h('dt', {}, label), value) };
  });
  return {
    element: h('dl', { class: 'facts' }, parts.map((part) => part.element)),
    update(daemon) {
      health.update(lookUp(HEALTH, daemon.health?.status ?? 'unknown'));
      for (const { of, value, element } of parts) {
        if (of === null) continue;
        const words = String(of(daemon));
        text(value, words);
        show(element, words !== '');
      }
    },
  };
}
