/**
 * What messages and documents do to the state. Nothing here touches the page or the network, so that
 * every rule can be tested by itself. `now` is a monotonic time in milliseconds.
 */

import { isOver } from './states.js';

const FEED = 300;
const JOBS = 600;

/** The state before anything is known. */
export function initial() {
  return {
    connection: { phase: 'connecting', since: 0, lastWord: 0, retryAt: null, attempt: 0 },
    station: {},
    jobs: new Map(),
    devices: new Map(),
    daemons: new Map(),
    feed: [],
    history: null,
    seq: null,
    loaded: false,
    plugins: [],
    queue: noQueue(),
    moreJobs: false,
    troubles: new Map(),
  };
}

/** The queue before it was read: no mode is known, and the order is that of priority and age. */
const noQueue = () => ({ state: null, parts: [], waiting: [], waits: new Map(), queued: null, held: null });

/** Takes over the document of the queue, or the answer to a change of its mode, which has no jobs. */
export function mergeQueue(state, document) {
  const queue = { ...state.queue, state: document.state ?? null, parts: document.parts ?? [] };
  if (Array.isArray(document.items)) {
    queue.waiting = document.items.filter((job) => job.state === 'QUEUED').map((job) => job.id);
    queue.waits = new Map(document.items.filter((job) => job.why).map((job) => [job.id, { waitsFor: job.waits_for ?? null, why: job.why, blockedBy: job.blocked_by ?? null }]));
    Object.assign(queue, { queued: document.queued ?? null, held: document.held ?? null });
  }
  state.queue = queue;
}

/** Applies one message of the WebSocket. */
export function apply(state, message, now) {
  const rule = RULES[message.type];
  if (!rule) return;
  rule(state, message, now);
  if (typeof message.seq === 'number') remember(state, message);
}

const RULES = {
  job_state_change(state, message, now) {
    const job = state.jobs.get(message.job_id) ?? { id: message.job_id, name: message.job_name, kind: null, progress_percentage: 0, lines_acknowledged: 0 };
    job.name = message.job_name || job.name;
    job.state = message.to_state;
    job.device = message.device_id || job.device || null;
    job.touched = now;
    if (message.reason) job.reason = message.reason;
    // What stops for a person says what is to be done; whoever pauses a job by hand says nothing.
    if (message.to_state === 'RUNNING') job.error = null;
    if (message.to_state !== 'INTERRUPTED') job.plan = null;
    if (!message.metadata?.snapshot) stamp(job, message);
    if (isOver(job) || job.state === 'QUEUED') job.eta_seconds = null;
    state.jobs.set(job.id, job);
    prune(state);
  },
  job_progress(state, message, now) {
    const job = state.jobs.get(message.job_id);
    if (!job) return;
    job.progress_percentage = message.progress_percentage;
    job.lines_acknowledged = message.lines_acknowledged;
    job.lines_total = message.lines_total;
    job.eta_seconds = message.eta_seconds ?? null;
    job.total_time_seconds = message.total_time_seconds;
    job.current_layer = message.current_layer;
    job.message = message.metadata?.message ?? null;
    job.heard = now;
    job.progressed = now;
    const device = state.devices.get(job.device);
    // A machine that does not tell where it is while it works has zeros here.
    if (device?.position && message.position) device.position = message.position;
  },
  device_status(state, message, now) {
    const device = state.devices.get(message.device_id) ?? { name: message.device_id };
    Object.assign(device, {
      driver: message.device_type || device.driver,
      status: message.status,
      firmware_version: message.firmware_version || null,
      current_job_id: message.current_job_id || null,
      error_message: message.error_message || null,
      error_count: message.error_count,
      last_heard: message.last_heartbeat,
      position: message.position ?? null,
      pen_up: message.pen_up ?? null,
      temperatures: message.metadata?.temperatures ?? [],
      touched: now,
    });
    state.devices.set(device.name, device);
  },
  daemon_status(state, message, now) {
    const daemon = state.daemons.get(message.name) ?? { name: message.name };
    // Why it was as it was is not why it is as it is: that is read again.
    if (daemon.state !== message.state) daemon.why = null;
    Object.assign(daemon, {
      state: message.state,
      health: { ...daemon.health, status: message.health, message: message.message },
      restarts: message.restarts,
      last_error: message.last_error || null,
      next_restart_at: message.next_restart_at ?? null,
      touched: now,
    });
    state.daemons.set(daemon.name, daemon);
  },
  system_status(state, message) {
    const { status, uptime, active_jobs, queue_length, memory_usage, cpu_usage, connections, version } = message;
    Object.assign(state.station, { status, uptime, active_jobs, queue_length, memory_usage, cpu_usage, connections, version });
    extendHistory(state.history, message);
  },
  system_alert() {},
};

/** The times that a move implies, until the job is read again. */
function stamp(job, message) {
  if (message.from_state === null) job.created_at ??= message.timestamp;
  if (message.to_state === 'RUNNING' && message.from_state !== 'PAUSED') job.started_at = message.timestamp;
  if (isOver(job)) job.finished_at = message.timestamp;
  if (message.to_state === 'QUEUED') Object.assign(job, { progress_percentage: 0, lines_acknowledged: 0, finished_at: null, error: null });
}

/** A durable event goes into the feed once; a snapshot is no event. */
function remember(state, message) {
  state.seq = Math.max(state.seq ?? 0, message.seq);
  if (message.metadata?.snapshot) return;
  mergeFeed(state, [message]);
}

/** Adds events to the feed, in order, each once. Who did what is the audit trail's to tell. */
export function mergeFeed(state, events) {
  const known = new Set(state.feed.map((event) => event.seq));
  const fresh = events.filter((event) => event.type !== 'audit' && !known.has(event.seq));
  if (fresh.length === 0) return;
  state.feed = [...state.feed, ...fresh].sort((one, other) => one.seq - other.seq).slice(-FEED);
}

/**
 * Takes over things that were read. What an event said after the request left (`asked`) is newer
 * than the document and stays. With `all`, things that the document lacks are gone.
 */
export function mergeThings(map, items, keyOf, asked, { all = false, live = [] } = {}) {
  const keys = new Set(items.map(keyOf));
  for (const item of items) {
    const present = map.get(keyOf(item));
    const newer = present && (present.touched ?? -1) >= asked;
    const kept = newer ? Object.fromEntries(live.map((field) => [field, present[field]])) : {};
    map.set(keyOf(item), { ...present, ...item, ...kept });
  }
  if (!all) return;
  for (const [key, thing] of map) {
    if (!keys.has(key) && (thing.touched ?? -1) < asked) map.delete(key);
  }
}

/** Fields that events carry, and that a document read at the same time may show older. */
export const LIVE = {
  job: ['state', 'reason', 'device', 'started_at', 'finished_at'],
  device: ['status', 'position', 'current_job_id', 'error_message', 'error_count', 'last_heard', 'firmware_version', 'pen_up', 'temperatures'],
  daemon: ['state', 'health', 'restarts', 'last_error', 'next_restart_at'],
};

/** Old finished jobs leave, so that a page that is open for weeks does not grow. */
function prune(state) {
  if (state.jobs.size <= JOBS) return;
  const over = [...state.jobs.values()].filter(isOver).sort((one, other) => (one.id < other.id ? -1 : 1));
  for (const job of over.slice(0, state.jobs.size - JOBS)) state.jobs.delete(job.id);
}

/** Keeps the history going between readings: a point each interval, the mean of what was said. */
function extendHistory(history, message) {
  if (!history) return;
  const bucket = (history.bucket ??= { cpu: 0, memory: 0, count: 0, from: Date.parse(history.until) || Date.parse(message.timestamp) });
  bucket.cpu += message.cpu_usage ?? 0;
  bucket.memory += message.memory_usage ?? 0;
  bucket.count += 1;
  const at = Date.parse(message.timestamp);
  if (at - bucket.from < history.interval_seconds * 1000) return;
  const push = (name, value) => {
    if (history[name]?.length) history[name] = [...history[name].slice(1), value];
  };
  push('cpu_usage', bucket.cpu / bucket.count);
  push('memory_usage', bucket.memory / bucket.count);
  push('rss_bytes', history.rss_bytes?.at(-1) ?? null);
  push('disk_usage', history.disk_usage?.at(-1) ?? null);
  history.bucket = { cpu: 0, memory: 0, count: 0, from: at };
}
