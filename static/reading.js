/**
 * What is read over HTTP beside the WebSocket: everything once per connection, and the few fields
 * that events do not carry, at most once a second however much happens.
 */

import { get } from './api.js';
import { LIVE, mergeFeed, mergeQueue, mergeThings } from './reduce.js';

const WAITING = ['HELD', 'QUEUED', 'RUNNING', 'PAUSED', 'INTERRUPTED'];
const PAUSE = 1000;
const QUEUE_PAUSE = 2000; // Its document holds every job that waits.
const HISTORY_EVERY = 300000;

export function createReading(store) {
  /** Reads one part; a part that cannot be read says so in its own place and stops no other. */
  async function read(part, work) {
    const asked = performance.now();
    try {
      const edit = await work();
      store.change((state) => {
        edit(state, asked);
        state.troubles.delete(part);
      });
    } catch (error) {
      store.change((state) => state.troubles.set(part, error.message));
    }
  }

  const jobs = (all) =>
    read('jobs', async () => {
      const page = await get('/jobs?limit=100');
      const items = new Map(page.items.map((job) => [job.id, job]));
      // What is active or waits must be known even if a hundred newer jobs are over.
      const rest = page.next_cursor ? await Promise.all(WAITING.map((word) => get(`/jobs?limit=100&state=${word}`))) : [];
      for (const other of rest) for (const job of other.items) items.set(job.id, job);
      return (state, asked) => {
        mergeThings(state.jobs, [...items.values()], (job) => job.id, asked, { all, live: LIVE.job });
        state.moreJobs = Boolean(page.next_cursor);
      };
    });

  const queue = () =>
    read('queue', async () => {
      const document = await get('/queue');
      return (state) => mergeQueue(state, document);
    });

  const devices = () =>
    read('devices', async () => {
      const items = itemsOf(await get('/devices'));
      return (state, asked) => mergeThings(state.devices, items, (device) => device.name, asked, { all: true, live: LIVE.device });
    });

  const daemons = () =>
    read('daemons', async () => {
      const items = itemsOf(await get('/daemons'));
      return (state, asked) => mergeThings(state.daemons, items, (daemon) => daemon.name, asked, { all: true, live: LIVE.daemon });
    });

  /** Plugins; a station without any says so by an empty list, an older one by 404. */
  const plugins = () =>
    read('plugins', async () => {
      const items = await get('/plugins').then(itemsOf, (error) => {
        if (error.status === 404) return [];
        throw error;
      });
      return (state) => {
        state.plugins = items;
      };
    });

  const feed = () =>
    read('events', async () => {
      const page = await get('/events?limit=100');
      return (state) => mergeFeed(state, page.items);
    });

  const station = () =>
    read('status', async () => {
      const status = await get('/status');
      return (state) => Object.assign(state.station, status);
    });

  const history = () =>
    read('history', async () => {
      const past = await get('/metrics/history?points=240');
      return (state) => {
        state.history = past;
      };
    });

  const soon = { jobs: throttle(() => jobs(false)), queue: throttle(queue, QUEUE_PAUSE), devices: throttle(devices), daemons: throttle(daemons) };
  setInterval(() => store.live && history(), HISTORY_EVERY);

  return {
    /** Everything, as after each connection; things that are gone go. */
    async all() {
      await Promise.all([station(), jobs(true), queue(), devices(), daemons(), feed(), history()]);
      store.change((state) => {
        state.loaded = true;
      });
    },
    /** What an event leaves unsaid. */
    after(message) {
      if (message.type === 'job_state_change') soon.jobs();
      // Why a job waits has to do with other jobs and with machines; that the queue is paused is an alert.
      if (['job_state_change', 'system_alert'].includes(message.type) || (message.type === 'device_status' && message.seq !== undefined)) soon.queue();
      if (message.type === 'device_status' && message.seq !== undefined) soon.devices();
      if (message.type === 'daemon_status' && message.seq !== undefined) soon.daemons();
    },
    /** Takes over the thing that an action answered with. */
    take(kind, thing) {
      const place = { job: 'jobs', device: 'devices', daemon: 'daemons' }[kind];
      const name = kind === 'job' ? thing?.id : thing?.name;
      if (name) store.change((state) => state[place].set(name, { ...state[place].get(name), ...thing }));
    },
    /** The queue as an action on it answered. */
    takeQueue: (document) => store.change((state) => mergeQueue(state, document)),
    queue: soon.queue,
    devices,
    daemons,
    plugins,
  };
}

/** Lists are `{items}`; a bare array is understood too. */
const itemsOf = (page) => (Array.isArray(page) ? page : page.items);

/** Runs at once if it rested long enough, else once after the pause: never left out, never a flood. */
function throttle(work, pause = PAUSE) {
  let timer = null;
  let last = -Infinity;
  return () => {
    if (timer !== null) return;
    const wait = Math.max(60, last + pause - performance.now());
    timer = setTimeout(() => {
      timer = null;
      last = performance.now();
      work();
    }, wait);
  };
}
