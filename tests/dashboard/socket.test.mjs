// The one WebSocket: other channels are asked for without losing or repeating what is known.
import assert from 'node:assert/strict';
import test from 'node:test';

const real = { WebSocket: globalThis.WebSocket, setInterval: globalThis.setInterval };

/** A page with a socket that says what it was sent and is told what to receive. */
async function page(run, channels = []) {
  const sent = [];
  const told = [];
  let mine;
  class Fake {
    static OPEN = 1;
    readyState = 1;
    constructor() {
      mine = this;
    }
    send(words) {
      sent.push(JSON.parse(words));
    }
    close() {}
  }
  globalThis.sessionStorage ??= { getItem: () => null };
  globalThis.location ??= { protocol: 'http:', host: 'station' };
  globalThis.addEventListener ??= () => {};
  globalThis.document ??= { addEventListener() {}, hidden: false };
  Object.assign(globalThis, { WebSocket: Fake, setInterval: () => 0 });
  try {
    const { createSocket } = await import('../../static/socket.js');
    let seq = null;
    const handlers = {
      seq: () => seq,
      channels: () => channels,
      message: (message) => (seq = message.seq ?? seq),
      live: () => told.push('live'),
      heard: (names, fresh) => told.push(`${names.join()} ${fresh ? 'anew' : 'on'}`),
      refused: (words) => told.push(words),
      forget: () => (seq = null),
      lost() {},
      unauthorized() {},
    };
    const socket = createSocket(handlers);
    socket.open();
    mine.onopen();
    const asked = async (times) => {
      while (sent.length < times) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await run({ socket, sent, told, hear: (message) => mine.onmessage({ data: JSON.stringify(message) }), asked });
  } finally {
    Object.assign(globalThis, real);
  }
}

test('another channel is asked for with the newest number, together with all the rest', () => {
  const channels = [];
  return page(async ({ socket, sent, told, hear, asked }) => {
    hear({ type: 'subscribed', seq: 7, channels: ['jobs'] });
    hear({ type: 'job_state_change', seq: 9 });
    channels.push('daemon:a');
    socket.channelsChanged();
    channels.push('daemon:b');
    socket.channelsChanged();
    await asked(2);
    assert.deepEqual(sent, [
      { type: 'SUBSCRIBE', channels: ['all'], ack: true },
      { type: 'SUBSCRIBE', channels: ['all', 'daemon:a', 'daemon:b'], ack: true, since: 9 },
    ]);
    hear({ type: 'subscribed', seq: 9, channels: ['jobs', 'daemon:a'] });
    assert.deepEqual(told, ['live', 'jobs anew', 'jobs,daemon:a on'], 'nothing is read again for it');
  }, channels);
});

test('each answer belongs to the oldest question', () =>
  page(async ({ socket, sent, told, hear, asked }) => {
    hear({ type: 'job_state_change', seq: 9 });
    socket.channelsChanged();
    await asked(2);
    hear({ type: 'subscribed', seq: 3, channels: ['first'] });
    hear({ type: 'error', error_code: 'SUBSCRIPTION_ERROR', error_message: 'too many' });
    assert.deepEqual(told, ['live', 'first anew', 'too many']);
    assert.equal(sent.length, 2, 'the first asked for no number, so a small one is no other station');
  }));

test('another workspace is noticed by its numbers', () =>
  page(async ({ socket, sent, hear, asked }) => {
    hear({ type: 'subscribed', seq: 9, channels: [] });
    hear({ type: 'job_state_change', seq: 9 });
    socket.channelsChanged();
    await asked(2);
    hear({ type: 'subscribed', seq: 2, channels: [] });
    assert.equal(sent.length, 3);
    assert.equal(sent[2].since, undefined);
  }));

test('after an overflow everything is asked for anew', () =>
  page(async ({ sent, told, hear, asked }) => {
    hear({ type: 'subscribed', seq: 1, channels: [] });
    hear({ type: 'lagged', missed: 3 });
    hear({ type: 'lagged', missed: 1 });
    await asked(2);
    hear({ type: 'subscribed', seq: 5, channels: ['x'] });
    assert.equal(sent.length, 2);
    assert.deepEqual(told, ['live', ' anew', 'live', 'x anew']);
  }));
