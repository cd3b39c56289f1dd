/** Daemons: a calm line each on the overview, and the view of all of them. */

import { bulkPart } from './daemonbulk.js';
import { daemonAddress, isFiltered, matches, readChoice, writeChoice } from './daemonchoice.js';
import { filterPart } from './daemonfilter.js';
import { byName, byNeed, inGroups, shownOf } from './daemonorder.js';
import { COLUMNS, daemonPart } from './daemonrow.js';
import { messageOf, summary, wordOf } from './daemonwords.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { plural } from './format.js';
import { empty, panel, shape, table } from './parts.js';
import { pluginPanel } from './plugins.js';
import { daemonMeaning } from './states.js';

/** More than that do not fit on the overview: those that are not well come first. */
const OVERVIEW = 24;
const EVERY = 3000;
const UNTIL_LIVE = 300;
const PLUGINS_EVERY = 30000;

/** The overview's panel. */
export function daemonPanel() {
  const list = h('ul', { class: 'daemon-list' });
  const render = keyed(list);
  const part = panel('Daemons', { id: 'daemon-panel' }, list);
  const more = h('a', { href: '#/daemons', class: 'more' });
  part.tools.append(more);
  return {
    element: part.element,
    update(state) {
      const daemons = byName(state.daemons.values());
      part.note(summary(daemons));
      text(more, daemons.length > OVERVIEW ? `All ${daemons.length} daemons` : 'All daemons');
      render(worst(daemons), (daemon) => daemon.name, daemonLine);
    },
  };
}

const RANK = ['bad', 'attention', 'active', 'good', 'neutral'];

/** Those that the overview has room for, by name; the worst are always among them. */
function worst(daemons) {
  if (daemons.length <= OVERVIEW) return daemons;
  const rank = (daemon) => RANK.indexOf(daemonMeaning(daemon));
  return byName([...daemons].sort((one, other) => rank(one) - rank(other)).slice(0, OVERVIEW));
}

function daemonLine(first) {
  const mark = shape('neutral');
  const word = h('span', { class: 'daemon-word' });
  const message = h('span', { class: 'note clamp' });
  const element = h('li', { data: { daemon: first.name } }, mark.element, h('a', { class: 'daemon-name', href: daemonAddress(first.name) }, first.name), word, message);
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

/** The view of all daemons. */
export function daemonsView(app) {
  const choice = readChoice(location.hash);
  const view = { app, choice, flip, reveal, daemons: () => [...app.store.state.daemons.values()] };
  const note = h('span', { class: 'note' });
  const filters = filterPart(choice, changed);
  const bulk = bulkPart(app);
  const plugins = pluginPanel();
  const { element: list, body } = table('Daemons of this station', COLUMNS);
  body.remove();
  list.classList.add('daemons');
  const render = keyed(list, list.lastChild);
  const nothing = empty('No daemons are known yet.', 'Built-in daemons start with the station; add your own under ', h('code', {}, 'daemons:'), ' in its configuration.');
  const none = empty('No daemon matches.', 'Show all takes the filters away.');
  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Daemons'), note), filters.element, bulk.elements, list, nothing, none, plugins.element);
  const stop = refresh(app);

  function changed() {
    history.replaceState(null, '', writeChoice(choice));
    app.store.redraw();
  }

  /** Opens or closes what stands below a daemon. */
  function flip(what, name) {
    if (!choice[what].delete(name)) choice[what].add(name);
    changed();
  }

  /** Goes to another daemon and opens why it is as it is, whatever the filters leave out. */
  function reveal(name) {
    const daemon = app.store.state.daemons.get(name);
    if (!daemon) return;
    if (!matches(daemon, choice)) {
      choice.state.clear();
      choice.category.clear();
      choice.find = '';
      filters.find.value = '';
    }
    choice.why.add(name);
    changed();
    update(app.store.state);
    goTo(name);
  }

  function goTo(name) {
    const place = list.querySelector(`tr[data-daemon="${CSS.escape(name)}"]`);
    place?.scrollIntoView({ block: 'start' });
    place?.querySelector('strong')?.focus({ preventScroll: true });
  }

  function update(state) {
    const daemons = byName(state.daemons.values());
    const filtered = isFiltered(choice);
    const shown = daemons.filter((daemon) => matches(daemon, choice));
    text(note, summary(daemons));
    filters.update(daemons, filtered);
    bulk.update(shown, filtered, daemons.length);
    plugins.update(state);
    show(nothing, state.loaded && daemons.length === 0);
    show(none, daemons.length > 0 && shown.length === 0);
    show(list, shown.length > 0);
    attribute(list, 'data-order', choice.order);
    render(choice.order === 'need' ? inNeed(daemons, choice) : inCategories(shown), (item) => item.key, (item) => (item.daemon ? daemonPart(view, item.daemon.name) : groupPart(item.category)));
  }

  return {
    title: 'Daemons',
    element,
    filter: filters.find,
    update,
    /** A link has led here: to the daemon that it names. */
    arrive: () => choice.why.size > 0 && goTo([...choice.why].at(-1)),
    dispose() {
      stop();
      render([], (item) => item.key);
    },
  };
}

const keyOf = (daemon) => `daemon ${daemon.name}`;

function inNeed(daemons, choice) {
  return shownOf(byNeed(daemons), (daemon) => matches(daemon, choice)).map((item) => ({ ...item, full: true, key: keyOf(item.daemon) }));
}

function inCategories(daemons) {
  return inGroups(daemons).flatMap(({ category, daemons: members }) => [
    { key: `category ${category}`, category, members },
    ...members.map((daemon) => ({ key: keyOf(daemon), daemon, depth: 0, full: false })),
  ]);
}

/** The title of a category, with how its daemons are. */
function groupPart(category) {
  const note = h('span', { class: 'note' });
  const heading = h('th', { role: 'rowheader', scope: 'rowgroup', colspan: COLUMNS.length }, h('span', { class: 'group-name' }, category), ' ', note);
  return {
    element: h('tbody', { role: 'rowgroup', class: 'group', data: { group: category } }, h('tr', { role: 'row' }, heading)),
    update: ({ members }) => text(note, summary(members)),
  };
}

/**
 * Memory and CPU come with no event: they are read again every few seconds while a person looks, and
 * more seldom where reading them takes long. Returns what ends it.
 */
function refresh({ store, reading }) {
  let timer = null;
  let over = false;
  let pluginsAt = -Infinity;
  async function turn() {
    const began = performance.now();
    const { loaded, station } = store.state;
    if (store.live && !document.hidden) {
      // A station that does not tell of its last run is older than plugins are.
      if ('last_run' in station && began - pluginsAt >= PLUGINS_EVERY) {
        pluginsAt = began;
        await reading.plugins();
      }
      await reading.daemons();
    }
    if (!over) timer = setTimeout(turn, loaded ? Math.max(EVERY, 20 * (performance.now() - began)) : UNTIL_LIVE);
  }
  turn();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
