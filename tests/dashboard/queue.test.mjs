// The order of the queue, the marks on a toolpath, a machine's talk and its moves by hand.
import assert from 'node:assert/strict';
import test from 'node:test';

import { isBareOk, isHidden, isPolling, tell } from '../../static/consolewords.js';
import { phaseOf, WORDS } from '../../static/estop.js';
import { dashes } from '../../static/dashes.js';
import { changesOf, changeWords } from '../../static/jobhistory.js';
import { blockedBy, KEYS, moveOf } from '../../static/jogwords.js';
import { durationOf } from '../../static/jobtimes.js';
import { actionsOf } from '../../static/machinecontrols.js';
import { temperatureWords } from '../../static/machinefigures.js';
import { destination, moved, placeIn, queueOrder } from '../../static/order.js';
import { marksOf, placeOfLine, pointAt, safeColour } from '../../static/pathplace.js';
import { modeOf } from '../../static/queuemode.js';
import { lyingOn, waitingBehind, waitOf, waitWords } from '../../static/queuewords.js';
import { apply, initial, mergeQueue } from '../../static/reduce.js';

const job = (id, state = 'QUEUED', more = {}) => ({ id, state, ...more });
const ids = (jobs) => jobs.map(({ id }) => id);

test('the order is the one the station says; without it priority, then age', () => {
  const jobs = [job('a'), job('b'), job('c', 'QUEUED', { priority: 50 }), job('r', 'RUNNING'), job('h', 'HELD'), job('d', 'COMPLETED')];
  assert.deepEqual(ids(queueOrder(jobs)), ['r', 'h', 'c', 'a', 'b', 'd']);
  assert.deepEqual(ids(queueOrder(jobs, ['b', 'a'])), ['r', 'h', 'b', 'a', 'c', 'd'], 'what was not named comes after');
});

test('a move asks for the place before the next job, or for the end', () => {
  assert.deepEqual(moved(['a', 'b', 'c'], 'c', 0), ['c', 'a', 'b']);
  assert.deepEqual(moved(['a', 'b', 'c'], 'a', 9), ['b', 'c', 'a']);
  assert.deepEqual(placeIn(['c', 'a', 'b'], 'c'), { before: 'a' });
  assert.deepEqual(placeIn(['b', 'c', 'a'], 'a'), { place: 'last' });
});

test('a move leads nowhere at the ends', () => {
  const all = (id) => ['first', 'up', 'down', 'last'].map((way) => destination(['a', 'b', 'c'], id, way));
  assert.deepEqual([all('a'), all('b'), all('c'), all('gone')], [[null, null, 1, 2], [0, 0, 2, 2], [0, 1, null, null], [null, null, null, null]]);
});

test('the queue is as it was read; the answer to a change of mode has no jobs', () => {
  const state = initial();
  mergeQueue(state, { state: 'running', parts: [], queued: 2, held: 1, items: [job('b', 'QUEUED', { waits_for: 'turn', why: 'others are before it', blocked_by: null }), job('h', 'HELD'), job('a')] });
  assert.deepEqual([state.queue.waiting, state.queue.waits.get('b').why, state.queue.queued, state.queue.held], [['b', 'a'], 'others are before it', 2, 1]);
  mergeQueue(state, { state: 'paused', parts: [{ device: null, mode: 'paused' }, { device: 'Mill', mode: 'draining' }] });
  assert.deepEqual(state.queue.waiting, ['b', 'a']);
  assert.deepEqual(['mill', 'other', null].map((name) => modeOf(state.queue, name)), ['draining', 'running', 'paused']);
  mergeQueue(state, { items: [] });
  assert.equal(modeOf(state.queue), null, 'a station without modes');
});

test('a job that waits says for what, and leads to what is in its way', () => {
  const state = initial();
  const put = (...jobs) => jobs.forEach((one) => state.jobs.set(one.id, one));
  put(job('half', 'INTERRUPTED', { name: 'part.nc', device: 'mill' }), job('a', 'QUEUED', { device: 'mill' }), job('b'), job('c'), job('d'));
  const items = [job('a', 'QUEUED', { waits_for: 'person', why: 'job half was interrupted on mill', blocked_by: 'half' }), job('b', 'QUEUED', { waits_for: 'job', why: 'job a is QUEUED', blocked_by: 'gone' }), job('c', 'QUEUED', { waits_for: 'turn', why: 'others are before it' })];
  mergeQueue(state, { state: 'running', parts: [], items });
  const wait = (id) => waitOf(state, state.jobs.get(id));
  assert.deepEqual(wait('a'), { words: 'first decide on', person: true, job: 'part.nc', href: '#/jobs/half', after: ', which was interrupted on mill' });
  assert.equal(waitWords(wait('a')), 'first decide on part.nc');
  assert.deepEqual([wait('b').person, waitWords(wait('b')), wait('b').href], [false, 'after another job', '#/jobs/gone']);
  assert.equal(waitWords(wait('c')), 'others are before it');
  assert.deepEqual([wait('d'), waitWords(wait('d'))], [null, ''], 'not known yet');
  assert.deepEqual([waitingBehind(state, { id: 'half' }), waitingBehind(state, { id: 'a' })], [1, 0]);
  state.jobs.get('a').state = 'RUNNING';
  assert.equal(wait('a'), null, 'it waits no longer');
});

test('half a job lies on its machine until a person decides', () => {
  const state = initial();
  for (const one of [job('1', 'INTERRUPTED', { device: 'mill' }), job('2', 'INTERRUPTED', { device: 'mill' }), job('3', 'FAILED', { device: 'lathe' })]) state.jobs.set(one.id, one);
  assert.equal(lyingOn(state, { name: 'mill' }).id, '2', 'the newest');
  assert.equal(lyingOn(state, { name: 'lathe' }), null);
});

test('only what is over took any time', () => {
  const at = (second) => `2026-01-01T00:00:${second}.000Z`;
  const times = { started_at: at('10'), finished_at: at('41') };
  assert.deepEqual(durationOf(job('j', 'COMPLETED', times)), { label: 'Took', words: '0:31' });
  assert.deepEqual(durationOf(job('j', 'RUNNING', { ...times, total_time_seconds: 9 })), { label: 'Running for', words: '0:09' });
  assert.deepEqual(durationOf(job('j', 'PAUSED', { ...times, total_time_seconds: 9 })), { label: 'Worked so far', words: '0:09' });
  for (const state of ['PAUSED', 'INTERRUPTED', 'HELD', 'QUEUED']) assert.equal(durationOf(job('j', state, times)), null, state);
  assert.equal(durationOf(job('j', 'CANCELLED', { finished_at: at('41') })), null, 'it never began');
});

test('a machine is asked only for what it can do', () => {
  const all = { status: 'alarm', capabilities: ['home', 'unlock'] };
  assert.deepEqual(actionsOf(all), ['home', 'unlock', 'disconnect']);
  assert.deepEqual(actionsOf({ ...all, capabilities: ['home'] }), ['disconnect'], 'only a reset ends its alarm');
  assert.deepEqual(actionsOf({ ...all, estop: { confirmed: true } }), ['disconnect'], 'the stop is cleared first');
  assert.deepEqual(actionsOf({ status: 'idle', capabilities: ['home', 'jog'] }), ['home', 'disconnect']);
  assert.deepEqual(actionsOf({ status: 'idle', capabilities: [] }), ['disconnect']);
  assert.deepEqual(actionsOf({ status: 'idle' }), ['disconnect'], 'what is not known is not offered');
});

test('travel to and fro is drawn once, and dashed', () => {
  const length = (found) => found.reduce((sum, [x0, y0, x1, y1]) => sum + Math.hypot(x1 - x0, y1 - y0), 0);
  for (const [x0, y0, x1, y1] of [[0, 10, 120, 10], [10, 0, 10, 120], [3, 5, 91, 77], [90, 4, 12, 118]]) {
    const fresh = dashes(120, 120);
    const once = fresh(x0, y0, x1, y1);
    const share = length(once) / Math.hypot(x1 - x0, y1 - y0);
    assert.equal(share > 0.25 && share < 0.5, true, `${share} of the line is drawn`);
    assert.deepEqual(fresh(x1, y1, x0, y0), [], 'back on the same dashes');
    const part = [(x0 + x1) / 2, (y0 + y1) / 2];
    assert.equal(length(fresh(...part, x1, y1)) < 3, true, 'half of the way again');
  }
  assert.deepEqual(dashes(10, 10)(-50, 5, -20, 5), [], 'beside the paper is nothing');
  assert.equal(dashes(10, 10)(4, 4, 4, 4).length, 0);
});

test('a job that goes on no longer asks, and its way back in is forgotten', () => {
  const state = initial();
  state.jobs.set('j', { id: 'j', state: 'PAUSED', error: 'change the pen', plan: { token: 't' } });
  apply(state, { type: 'job_state_change', seq: 1, job_id: 'j', from_state: 'PAUSED', to_state: 'RUNNING', metadata: {} }, 1);
  assert.deepEqual([state.jobs.get('j').error, state.jobs.get('j').plan], [null, null]);
  apply(state, { type: 'job_progress', job_id: 'j', metadata: { message: 'half way' } }, 2);
  assert.equal(state.jobs.get('j').message, 'half way');
  apply(state, { type: 'job_progress', job_id: 'j', metadata: {} }, 3);
  assert.equal(state.jobs.get('j').message, null, 'what is no longer said is no longer so');
});

test('where a machine is that does not tell is not known, whatever the progress of its job has', () => {
  const state = initial();
  const progress = (x) => apply(state, { type: 'job_progress', job_id: 'j', position: { x, y: 0, z: 0 }, metadata: {} }, 2);
  const status = (position) => apply(state, { type: 'device_status', device_id: 'm', status: 'busy', position }, 1);
  state.jobs.set('j', { id: 'j', state: 'RUNNING', device: 'm' });
  status(null);
  progress(0);
  assert.equal(state.devices.get('m').position, null);
  status({ x: 1, y: 0, z: 0 });
  progress(2);
  assert.equal(state.devices.get('m').position.x, 2);
});

test('temperatures come with the status, and go with it', () => {
  const state = initial();
  const status = (metadata) => apply(state, { type: 'device_status', device_id: 'printer', status: 'idle', metadata }, 1);
  status({ temperatures: [{ part: 'T0', celsius: 20.04, target: 210 }] });
  assert.equal(temperatureWords(state.devices.get('printer').temperatures[0]), '20.0 °C of 210');
  assert.equal(temperatureWords({ part: 'bed', celsius: null, target: 0 }), '– °C, off');
  status({});
  assert.deepEqual(state.devices.get('printer').temperatures, []);
});

const path = { lines: [0, 2, 5, 5, 6], numbers: [0, 12, 15, 15, 16], points: [0, 0, 1, 0, 2, 0, 3, 0, 4, 0], draw: [0, 1, 1, 1, 1] };

test('a line of the file is found on the path whatever is left out on the way', () => {
  assert.deepEqual([1, 13, 16, 99].map((line) => placeOfLine(path, line)), [0, 1, 3, 4]);
  assert.equal(placeOfLine({ ...path, numbers: undefined }, 6), 3, 'a path that does not know counts lines as sent');
  assert.deepEqual(pointAt(path, 2.5), [2.5, 0]);
  assert.deepEqual([pointAt(path, -1), pointAt(path, 99)], [[0, 0], [4, 0]]);
});

test('marks are layers, stops that begin none, and the way back in', () => {
  const marks = marksOf(path, { stops: [{ line: 13, message: 'blue' }, { line: 16, message: 'turn it' }], layers: [{ name: 'blue', colour: '#0000ff', line: 13 }], resume: { skip_lines: 2, from_line: 99 } });
  assert.deepEqual(marks.map(({ kind, place, label }) => [kind, place, label]), [['layer', 1, 'blue'], ['stop', 3, 'turn it'], ['resume', 1, 'goes on here']]);
  assert.deepEqual(marksOf({ draw: [0] }, { stops: [{ line: 1, message: 'x' }] }), [], 'nothing is drawn, nothing is marked');
  assert.deepEqual([marksOf(null), marksOf(path, { stops: undefined })], [[], []]);
});

test('only plain colours are drawn', () => {
  for (const good of ['#fff', '#12aB9f']) assert.equal(safeColour(good), good);
  for (const bad of ['red;background:url(x)', 'url(#x)', '#12345', '', null, 7]) assert.equal(safeColour(bad), null);
});

test('polling is told from what a person wants to read', () => {
  for (const line of ['?', '<Idle|MPos:0.000,0.000,0.000|FS:0,0>', 'M105', 'ok T:21.0 /0.0 B:20.9 /0.0 @:0', ' T:21.0 /0.0', 'echo:busy: processing', 'QM,0,0,0', 'X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0']) assert.equal(isPolling(line), true, line);
  for (const line of ['ok', 'error:9', '[MSG:Reset to continue]', 'G0 X1', '$I', 'ALARM:1', 'echo:Unknown command: "T"', '']) assert.equal(isPolling(line), false, line);
  assert.deepEqual(['ok', 'ok N12 P15 B3', 'okay'].map(isBareOk), [true, true, false]);
});

test('what is said is told by its level and its arrow', () => {
  assert.deepEqual(tell('> $I', 'INFO'), { kind: 'sent', words: '$I' });
  assert.equal(tell('G0 X1', 'DEBUG').kind, 'own');
  assert.equal(tell('error:20', 'INFO').kind, 'bad');
  assert.equal(tell('no answer', 'WARN').kind, 'bad');
  assert.equal(tell('[VER:1.1h]', 'INFO').kind, 'got');
  assert.deepEqual([isHidden({ kind: 'got', words: 'ok' }, true), isHidden({ kind: 'got', words: 'ok' }, false), isHidden({ kind: 'sent', words: '?' }, false)], [false, true, false]);
});

test('a key moves one step, and nothing moves with a feed that is none', () => {
  assert.deepEqual(moveOf(KEYS.ArrowLeft, 0.1, '500'), { x: -0.1, feed: 500 });
  assert.deepEqual(moveOf(KEYS.PageUp, 10, '1000'), { z: 10, feed: 1000 });
  for (const feed of ['', '0', '-1', 'fast', '20001']) assert.equal(moveOf('x+', 1, feed), null, feed);
});

test('a machine is moved by hand only while no job is on it', () => {
  assert.equal(blockedBy({ status: 'idle' }), '');
  assert.equal(blockedBy({ status: 'busy' }), '', 'it moves by hand already');
  assert.equal(blockedBy({ status: 'busy', current_job_id: 'j' }), 'A job is on it: it cannot be moved by hand.');
  for (const device of [{ status: 'alarm' }, { status: 'disconnected' }, { status: 'paused' }, { status: 'idle', estop: { sent: true } }]) assert.equal(blockedBy(device) === '', false, JSON.stringify(device));
});

test('a stop is confirmed by the machine alone, and what is not says what to do', () => {
  const device = (estop, more = {}) => ({ status: 'busy', estop, ...more });
  const phase = (...given) => phaseOf('mill', ...given).phase;
  assert.equal(phase(device({ sent: true, confirmed: true, latency_seconds: 0.012 }), { phase: 'unsent' }), 'confirmed');
  assert.equal(phase(device(null), { phase: 'sending' }), 'sending');
  assert.equal(phase(device({ sent: true, confirmed: false }), { phase: 'sent' }), 'sent');
  assert.equal(phase(device({ sent: true, confirmed: false }), undefined), 'unconfirmed', 'pressed elsewhere');
  assert.equal(phase(device({ sent: false, confirmed: false }), undefined), 'unsent');
  assert.equal(phase(device(null, { status: 'disconnected' }), { phase: 'unsent' }), 'nolink');
  assert.equal(WORDS.unconfirmed('no answer'), 'NOT CONFIRMED (no answer). Cut the power at the machine now, then look at it.');
  assert.equal(WORDS.confirmed(0.0123), 'stopped; the machine confirmed it after 12 ms.');
});

test('the history of a job is told once, with who let it', () => {
  const heard = [{ type: 'job_state_change', job_id: 'j', seq: 2, to_state: 'RUNNING', reason: 'resumed', metadata: { actor: 'operator' } }, { type: 'job_state_change', job_id: 'other', seq: 3 }, { type: 'device_status', seq: 4 }];
  const read = [{ seq: 1, to_state: 'PAUSED', reason: 'change the pen', actor: 'station' }, { seq: 2, to_state: 'RUNNING', reason: 'resumed', actor: 'operator' }];
  const changes = changesOf(read, heard, 'j');
  assert.deepEqual(changes.map((change) => [change.seq, changeWords(change)]), [[2, 'resumed, by operator'], [1, 'change the pen']]);
  assert.equal(changeWords(heard[0]), 'resumed, by operator');
  assert.equal(changeWords({ to_state: 'PAUSED', reason: 'paused' }), '');
  assert.equal(changeWords({ to_state: 'CANCELLED', reason: 'cancel', actor: 'operator' }), 'by operator');
});
