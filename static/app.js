/** Puts the page together: one store, one socket, one view at a time. */

import { whenLive } from './actions.js';
import { get, key, onUnauthorized } from './api.js';
import { daemonsView } from './daemons.js';
import { attribute } from './dom.js';
import { armStop, createStops } from './estop.js';
import { eventsView } from './events.js';
import { createFollowing } from './following.js';
import { jobsView } from './jobs.js';
import { jobView } from './jobview.js';
import { machinesView } from './machines.js';
import { overview } from './overview.js';
import { createReading } from './reading.js';
import { apply, initial } from './reduce.js';
import { connectionPart, keyForm, keysPart, sentencePart, themePart } from './shell.js';
import { createSocket } from './socket.js';
import { createStore } from './store.js';

const store = createStore();
const reading = createReading(store);
const following = createFollowing(() => socket.channelsChanged());
const app = { store, reading, following };
app.stops = createStops(app);
whenLive(() => store.live);

const socket = createSocket({
  seq: () => store.state.seq,
  channels: following.channels,
  heard: following.heard,
  refused: following.refused,
  message(message) {
    if (message.type === 'log') {
      following.take(message);
      return;
    }
    store.change((state) => {
      apply(state, message, performance.now());
      state.connection.lastWord = performance.now();
    });
    reading.after(message);
  },
  live() {
    setPhase('live', { retryAt: null, refused: false, lastWord: performance.now() });
    reading.all();
  },
  lost: ({ retryAt }) => setPhase('lost', { retryAt }),
  unauthorized: askForKey,
  forget() {
    // Another workspace answers under this address: what is known belongs to the old one.
    store.change((state) => {
      for (const place of [state.jobs, state.devices, state.daemons]) place.clear();
      Object.assign(state, { feed: [], seq: null, history: null, queue: initial().queue });
    });
  },
});

function setPhase(phase, fields = {}) {
  store.change(({ connection }) => Object.assign(connection, { phase }, fields));
}

function askForKey() {
  const refused = key.get() !== null;
  key.forget();
  socket.stop();
  // A request that was under way with the wrong key must not hide that it was wrong.
  setPhase('unauthorized', { refused: refused || store.state.connection.refused });
}
onUnauthorized(askForKey);

/** One plain request first: it tells a station that wants a key from one that is away. */
async function connect() {
  if (store.state.connection.phase === 'unauthorized') setPhase('connecting');
  try {
    await get('/status');
  } catch {
    if (store.state.connection.phase === 'unauthorized') return;
  }
  socket.open();
}

const routes = { overview, jobs: jobsView, machines: machinesView, daemons: daemonsView, events: eventsView };
const place = document.getElementById('view');
let view = null;

function route() {
  const [, name = '', id] = location.hash.split('?')[0].split('/');
  const known = Object.hasOwn(routes, name) ? name : 'overview';
  const moved = view !== null;
  view?.dispose?.();
  view = known === 'jobs' && id ? jobView(app, decodeURIComponent(id)) : routes[known](app);
  place.replaceChildren(view.element);
  for (const link of document.querySelectorAll('[data-route]')) attribute(link, 'aria-current', link.dataset.route === known ? 'page' : null);
  view.update(store.state);
  if (!moved) return;
  scrollTo(0, 0);
  const heading = place.querySelector('h1');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus({ preventScroll: true });
  view.arrive?.();
}

const always = [sentencePart(), connectionPart(() => socket.hurry()), keyForm(connect), (state) => app.stops.update(state)];
store.listen((state) => {
  for (const update of always) update(state);
  view.update(state);
});

/** A second passes: ages and countdowns move. A frozen view stays as it was when it froze. */
function tick() {
  if (store.state.connection.phase !== 'lost') store.redraw();
  else for (const update of always) update(store.state);
}

document.getElementById('stops-place').replaceWith(app.stops.element);
armStop(document.getElementById('stop-all'), () => app.stops.pressAll());
themePart();
keysPart({
  go: (name) => {
    location.hash = `#/${name}`;
  },
  filter: () => view.filter && (view.filter.focus(), true),
  addFiles: () => {
    const input = document.getElementById('file-input');
    input?.click();
    return Boolean(input);
  },
});
// The skip link must not change the address, which names the view.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  place.focus();
});
addEventListener('hashchange', route);
addEventListener('stationd:themed', store.redraw);
setInterval(tick, 1000);
route();
store.redraw();
connect();
