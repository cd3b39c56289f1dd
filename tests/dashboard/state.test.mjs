// What messages and documents do to the state, and where on a toolpath a number of lines is.
import assert from 'node:assert/strict';
import test from 'node:test';

import { areaPath } from '../../static/history.js';
import { isOutside, reached, toolPlace } from '../../static/pathplace.js';
import { apply, initial, LIVE, mergeFeed, mergeThings } from '../../static/reduce.js';
import { Toolpath } from '../../static/toolpath.js';

const change = (seq, to_state, more = {}) => ({ type: 'job_state_change', timestamp: '2026-01-01T00:00:00.000Z', seq, channel: 'jobs', job_id: 'j', job_name: 'x.nc', from_state: null, to_state, reason: '', device_id: 'm', metadata: {}, ...more });

test('an event is in the feed once, a snapshot never', () => {
  const state = initial();
  apply(state, change(5, 'QUEUED'), 1);
  apply(state, change(5, 'QUEUED'), 2);
  apply(state, change(6, 'RUNNING', { metadata: { snapshot: true } }), 3);
  mergeFeed(state, [{ seq: 5 }, { seq: 4 }]);
  assert.deepEqual(state.feed.map((event) => event.seq), [4, 5]);
  assert.equal(state.seq, 6);
});

test('a document that was asked for before an event does not undo it', () => {
  const state = initial();
  apply(state, change(1, 'RUNNING'), 100);
  mergeThings(state.jobs, [{ id: 'j', state: 'QUEUED', lines_total: 9 }], (job) => job.id, 50, { live: LIVE.job });
  assert.equal(state.jobs.get('j').state, 'RUNNING');
  assert.equal(state.jobs.get('j').lines_total, 9);
  mergeThings(state.jobs, [{ id: 'j', state: 'COMPLETED' }], (job) => job.id, 150, { live: LIVE.job });
  assert.equal(state.jobs.get('j').state, 'COMPLETED');
});

test('a full reading removes what is gone, but nothing that came meanwhile', () => {
  const state = initial();
  state.jobs.set('old', { id: 'old', state: 'COMPLETED' });
  apply(state, change(1, 'QUEUED'), 100);
  mergeThings(state.jobs, [], (job) => job.id, 50, { all: true });
  assert.deepEqual([...state.jobs.keys()], ['j']);
});

test('an unknown time left is unknown, not the last one', () => {
  const state = initial();
  apply(state, change(1, 'RUNNING'), 1);
  apply(state, { type: 'job_progress', job_id: 'j', progress_percentage: 5, lines_acknowledged: 1, lines_total: 20, eta_seconds: 40 }, 2);
  apply(state, { type: 'job_progress', job_id: 'j', progress_percentage: 6, lines_acknowledged: 2, lines_total: 20 }, 3);
  assert.equal(state.jobs.get('j').eta_seconds, null);
});

test('messages of an unknown type are ignored', () => {
  const state = initial();
  apply(state, { type: 'from_the_future', seq: 9 }, 1);
  apply(state, { type: 'constructor' }, 1);
  assert.equal(state.feed.length, 0);
});

const path = { lines: [0, 2, 5, 5, 5, 6], points: [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0], draw: [0, 1, 1, 1, 1, 1] };

test('lines are turned into a place on the path, arcs spread over their segments', () => {
  assert.equal(reached(path, 0), 0);
  assert.equal(reached(path, 1), 0.5);
  assert.equal(reached(path, 2), 1);
  assert.equal(reached(path, 3.5), 2.5);
  assert.equal(reached(path, 5), 4);
  assert.equal(reached(path, 99), 5);
});

test('what is drawn ends at the tool, not at the last line that the machine has taken in', () => {
  assert.equal(toolPlace(path, 6, { x: 1.25, y: 0 }), 1.25);
  assert.equal(toolPlace(path, 6, { x: 1.25, y: 0 }, 2), 2, 'it never goes back');
  assert.equal(toolPlace(path, 2, { x: 4, y: 0 }), 1, 'nor beyond what was acknowledged');
  assert.equal(toolPlace(path, 6, { x: 2, y: 40 }, 3), 3, 'a tool away from the path takes no step');
  const eight = { lines: [0, 1, 2, 3, 4], points: [0, 0, 4, 0, 4, 2, 2, 2, 2, -2], draw: [0, 1, 1, 1, 1] };
  assert.equal(toolPlace(eight, 4, { x: 2, y: 0 }), 0.5, 'at a crossing the first pass counts');
  assert.equal(toolPlace(eight, 4, { x: 2, y: 0 }, 2), 3.5);
});

test('at a stop all is drawn that comes before it, also where the tool has gone home for it', () => {
  const picture = new Toolpath(document.createElement('canvas'));
  picture.setPath(path, null);
  picture.setProgress(5, { x: 0, y: 0 });
  assert.equal(picture.target, 0);
  picture.setProgress(5, { x: 0, y: 0 }, true);
  assert.equal(picture.target, 4);
  picture.dispose();
});

test('a job that goes on is drawn from where it goes on, not from where it had come to', () => {
  const picture = new Toolpath(document.createElement('canvas'));
  picture.setPath(path, null);
  picture.setProgress(5, null);
  assert.equal(picture.target, 4);
  picture.setProgress(5, { x: 1.5, y: 0 }, false, true);
  assert.equal(picture.target, 1.5);
  picture.dispose();
});

test('what leaves the envelope is outside, at either end', () => {
  const envelope = { x: 3.5, y: 1 };
  assert.deepEqual([1, 2, 3, 4, 5].map((i) => isOutside(path, i, envelope)), [false, false, false, true, true]);
  assert.equal(isOutside(path, 5, null), false);
});

test('a gap in the history stays a gap', () => {
  const { line } = areaPath([0.1, null, 0.2, 0.3], 1);
  assert.equal(line.match(/M/g).length, 2);
});
