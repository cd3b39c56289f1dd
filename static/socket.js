/**
 * The one WebSocket: subscribes, resumes where it left off, notices silence, comes back by itself.
 * It knows nothing of the state's meaning; `handlers` are told what happens.
 */

import { key } from './api.js';

const SILENCE = 6000; // The station speaks each second; after six it is no longer live.
const FIRST_DELAY = 400;
const LONGEST_DELAY = 5000;
const TOGETHER = 50; // Other channels within that time are asked for at once.
const MEND_PAUSE = 1000; // A flood must not have everything read again more often than that.

/**
 * @param handlers `message(object)`, `live()`, `lost({retryAt, attempt})`, `unauthorized()`,
 *   `seq()` → the newest number seen, `forget()`, `channels()` → what is heard
 *   beside `all`, `heard(channels, fresh)` and `refused(words)` when that was asked for.
 */
export function createSocket(handlers) {
  let socket = null;
  let attempt = 0;
  let retry = null;
  let heard = 0;
  /** What was asked for and not answered yet, oldest first: the station answers in that order. */
  let asked = [];
  let again = null;
  let mending = null;
  let mended = -Infinity;
  let stopped = false;

  function open() {
    clearTimeout(retry);
    retry = null;
    stopped = false;
    heard = performance.now();
    asked = [];
    const mine = new WebSocket(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`);
    socket = mine;
    mine.onopen = () => {
      if (key.get()) send({ type: 'AUTH', token: key.get() });
      subscribe(handlers.seq(), true);
    };
    mine.onmessage = (event) => mine === socket && receive(event.data);
    mine.onclose = () => mine === socket && lose();
  }

  /** The whole set each time: it replaces the one before. `fresh` after a time when nothing was heard. */
  function subscribe(since, fresh) {
    clearTimeout(again);
    again = null;
    asked.push({ since, fresh });
    const message = { type: 'SUBSCRIBE', channels: ['all', ...handlers.channels()], ack: true };
    if (since !== null) message.since = since;
    send(message);
  }

  function receive(data) {
    heard = performance.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // A frame that is not JSON is not ours.
    }
    if (message.type === 'subscribed') acknowledge(message);
    else if (message.type === 'lagged') lag();
    else if (message.type === 'error') refuse(message);
    else handlers.message(message);
  }

  function acknowledge({ seq, channels }) {
    const { since, fresh } = asked.shift() ?? { since: null, fresh: true };
    // Numbers never go back, unless another workspace answers: then nothing we hold is true.
    if (since !== null && seq < since) {
      handlers.forget();
      subscribe(null, true);
      return;
    }
    attempt = 0;
    if (fresh) handlers.live();
    handlers.heard(channels ?? [], fresh);
  }

  function lag() {
    // A `since` that is too old is answered by the snapshot; overflow while live is not.
    if (asked.length > 0) {
      Object.assign(asked[0], { since: null, fresh: true });
      return;
    }
    mending ??= setTimeout(() => {
      mending = null;
      mended = performance.now();
      if (socket?.readyState === WebSocket.OPEN) subscribe(null, true);
    }, Math.max(0, mended + MEND_PAUSE - performance.now()));
  }

  function refuse(message) {
    if (message.error_code === 'SUBSCRIPTION_ERROR') {
      asked.shift();
      handlers.refused(message.error_message);
      return;
    }
    if (message.error_code !== 'UNAUTHORIZED') {
      handlers.message(message);
      return;
    }
    stop();
    handlers.unauthorized();
  }

  function lose() {
    socket = null;
    if (stopped) return;
    const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
    // Jitter, so that every open page does not come back in the same instant.
    const delay = ceiling * (0.7 + Math.random() * 0.6);
    attempt += 1;
    retry = setTimeout(open, delay);
    handlers.lost({ retryAt: performance.now() + delay, attempt });
  }

  function send(message) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function cut() {
    const old = socket;
    socket = null;
    old?.close();
    lose();
  }

  function stop() {
    stopped = true;
    clearTimeout(retry);
    retry = null;
    const old = socket;
    socket = null;
    old?.close();
  }

  setInterval(() => socket && performance.now() - heard > SILENCE && cut(), 1000);
  /** Other channels are to be heard: what comes meanwhile is replayed, so that nothing is missed. */
  function channelsChanged() {
    again ??= setTimeout(() => {
      again = null;
      if (socket?.readyState === WebSocket.OPEN) subscribe(handlers.seq(), false);
    }, TOGETHER);
  }

  const hurry = () => retry !== null && open();
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', () => !document.hidden && hurry());

  return { open, stop, hurry, channelsChanged };
}
