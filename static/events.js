/** What happened: each event as a subject and a few words, newest first. */

import { daemonAddress } from './daemonchoice.js';
import { h, keyed, show, text, uniqueId } from './dom.js';
import { count, moment, timeOfDay } from './format.js';
import { empty, panel, row, shape, table } from './parts.js';
import { DAEMON, DEVICE, HEALTH, JOB, lookUp, saysMore, SEVERITY } from './states.js';

/** `{meaning, subject, words, href}` of an event. */
export function describe(event) {
  const teller = TELLERS[event.type] ?? unknownEvent;
  return teller(event);
}

const because = (reason) => (reason ? `: ${reason}` : '');

const TELLERS = {
  job_state_change(event) {
    const { meaning, word } = lookUp(JOB, event.to_state);
    const words = event.from_state === null ? `added, ${word}` : word;
    const plain = event.reason === 'submitted' || event.reason === 'started' || !saysMore(event.reason, word);
    return { meaning, subject: event.job_name, words: words + because(plain ? '' : event.reason), href: `#/jobs/${event.job_id}` };
  },
  device_status(event) {
    const { meaning, word } = lookUp(DEVICE, event.status);
    return { meaning, subject: event.device_id, words: word + because(event.error_message), href: '#/machines' };
  },
  daemon_status(event) {
    const { meaning, word } = lookUp(DAEMON, event.state);
    const health = event.state === 'RUNNING' ? HEALTH[event.health] : null;
    const said = health && health.meaning !== 'good' && health.meaning !== 'neutral' ? `${word}, ${health.word}` : word;
    const cause = event.state === 'BACKOFF' || event.state === 'FAILED' ? event.last_error || event.message : event.message;
    return { meaning: health && health.meaning !== 'neutral' ? health.meaning : meaning, subject: event.name, words: said + because(cause === 'ok' || cause === word ? '' : cause), href: daemonAddress(event.name) };
  },
  system_alert: (event) => ({ meaning: SEVERITY[event.severity] ?? 'neutral', subject: event.title, words: event.message, href: null }),
};

const unknownEvent = (event) => ({ meaning: 'neutral', subject: event.resource ?? event.type, words: event.type, href: null });

/** The overview's feed. */
export function eventPanel() {
  const list = h('ol', { class: 'feed', id: 'feed' });
  const render = keyed(list);
  const nothing = empty('Nothing has happened yet.', 'Everything that jobs, machines and daemons do appears here.');
  const part = panel('Events', { id: 'event-panel' }, nothing, list);
  part.tools.append(h('a', { href: '#/events', class: 'more' }, 'All events'));
  return {
    element: part.element,
    update(state) {
      const newest = state.feed.slice(-40).reverse();
      show(nothing, state.loaded && newest.length === 0);
      render(newest, (event) => event.seq, feedLine);
    },
  };
}

const still = { update() {} };

function feedLine(event) {
  const { meaning, subject, words, href } = describe(event);
  const name = href ? h('a', { href, class: 'subject' }, subject) : h('span', { class: 'subject' }, subject);
  const time = h('time', { class: 'figures note', datetime: event.timestamp }, timeOfDay(event.timestamp));
  return { ...still, element: h('li', { data: { seq: event.seq, meaning } }, time, shape(meaning).element, h('span', { class: 'words' }, name, ' ', words)) };
}

const COLUMNS = [{ title: 'Time', class: 'figures' }, { title: 'Channel' }, { title: 'What happened', class: 'cell-main' }, { title: 'No.', class: 'figures' }];

/** The view of all events that are known here, with a filter. */
export function eventsView(app) {
  const [channelId, wordsId] = ['channel', 'words'].map(uniqueId);
  const redraw = () => app.store.redraw();
  const channel = h('select', { id: channelId, on: { change: redraw } }, h('option', { value: '' }, 'all channels'), ['jobs', 'devices', 'daemons', 'system'].map((name) => h('option', { value: name }, name)));
  const words = h('input', { id: wordsId, type: 'search', placeholder: 'job, machine, word', on: { input: redraw } });
  const note = h('span', { class: 'note' });
  const { element: list, body } = table('Events, newest first', COLUMNS);
  list.className = 'wide-main';
  const render = keyed(body);
  const nothing = empty('No events here.', 'Nothing that is known matches; the station keeps older ones: ', h('code', {}, 'stationd events'), '.');
  const field = (id, label, control) => h('p', { class: 'field' }, h('label', { for: id }, label), control);
  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Events'), note, field(channelId, 'Channel', channel), field(wordsId, 'Find', words)), list, nothing);

  const matches = (event) => {
    if (channel.value && event.channel !== channel.value) return false;
    const wanted = words.value.trim().toLowerCase();
    if (wanted === '') return true;
    const told = describe(event);
    return `${told.subject} ${told.words} ${event.resource ?? ''}`.toLowerCase().includes(wanted);
  };

  return {
    title: 'Events',
    element,
    filter: words,
    update(state) {
      const events = state.feed.filter(matches).reverse();
      text(note, `${count(events.length)} newest`);
      show(nothing, state.loaded && events.length === 0);
      show(list, events.length > 0);
      render(events, (event) => event.seq, eventRow);
    },
  };
}

function eventRow(event) {
  const { meaning, subject, words, href } = describe(event);
  const name = href ? h('a', { href, class: 'subject' }, subject) : h('span', { class: 'subject' }, subject);
  const time = h('time', { datetime: event.timestamp }, moment(event.timestamp));
  const told = h('span', { class: 'told', data: { meaning } }, shape(meaning).element, h('span', {}, name, ' ', words));
  return { ...still, element: row(COLUMNS, [time, event.channel ?? '', told, String(event.seq)], { data: { seq: event.seq } }) };
}
