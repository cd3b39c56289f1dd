// The sentence on top answers: is anything wrong, what runs, does anything need a person?
import assert from 'node:assert/strict';
import test from 'node:test';

import { initial } from '../../static/reduce.js';
import { briefSentence, sentence } from '../../static/sentence.js';

function station({ phase = 'live', jobs = [], devices = [], daemons = [], ...rest } = {}) {
  const state = { ...initial(), loaded: true, ...rest };
  state.connection.phase = phase;
  jobs.forEach((job, index) => state.jobs.set(String(index), { id: String(index), kind: 'device', ...job }));
  for (const device of devices) state.devices.set(device.name, device);
  for (const daemon of daemons) state.daemons.set(daemon.name, daemon);
  return state;
}

const says = (given, text, meaning) => assert.deepEqual((({ text, meaning }) => ({ text, meaning }))(sentence(station(given))), { text, meaning });

test('a quiet station is well', () => says({}, 'All well. Nothing is running or waiting.', 'good'));

test('nothing is well before it is known', () => {
  says({ loaded: false }, 'Reading the station…', 'neutral');
  says({ loaded: false, devices: [{ name: 'mill', status: 'alarm' }] }, 'mill is in alarm: it needs you. Nothing is running or waiting.', 'bad');
});

test('work is counted by machine, program and waiting job', () => {
  const devices = [{ name: 'a', status: 'busy' }, { name: 'b', status: 'busy' }, { name: 'c', status: 'idle' }];
  const jobs = [{ name: 'x', state: 'RUNNING' }, { name: 'y', state: 'RUNNING', kind: 'command' }, { name: 'z', state: 'QUEUED' }];
  says({ devices, jobs }, 'All well. 2 machines working, 1 program running, 1 job waiting.', 'active');
});

test('one thing that needs a person is named', () =>
  says({ jobs: [{ name: 'plate.nc', state: 'HELD' }] }, 'plate.nc is held: it needs you. Nothing is running, 1 job held.', 'attention'));

test('an alarm comes before a held job', () => {
  const given = { jobs: [{ name: 'plate.nc', state: 'HELD' }], devices: [{ name: 'mill', status: 'alarm' }] };
  says(given, '2 things need you: mill is in alarm and plate.nc is held. Nothing is running, 1 job held.', 'bad');
});

test('many things are counted, two are named', () => {
  const jobs = ['a', 'b', 'c', 'd'].map((name) => ({ name, state: 'INTERRUPTED' }));
  says({ jobs }, '4 things need you: a was interrupted, b was interrupted and 2 more. Nothing is running or waiting.', 'attention');
});

test('a stop of a file says what to do and where', () => {
  const job = { name: 'two.svg', state: 'PAUSED', device: 'plotter', error: 'change the pen: blue', analysis: { layers: [{ name: 'blue', line: 9 }], stops: [] } };
  says({ jobs: [job] }, 'Change the pen on plotter: blue. Nothing is running or waiting.', 'attention');
  says({ jobs: [{ ...job, error: null }] }, 'two.svg is paused. Nothing is running or waiting.', 'attention');
});

test('a red job says what is wrong with it', () => {
  const analysis = { verdict: 'red', min: [0, 0, 0], max: [312, 5, 0], problems: [] };
  const devices = [{ name: 'mill', driver: 'grbl', status: 'idle', envelope: { x: 300, y: 200 } }];
  const job = { name: 'cut.gcode', state: 'HELD', driver: 'grbl', analysis };
  says({ devices, jobs: [job] }, 'cut.gcode leaves the machine’s reach: it is held. Nothing is running, 1 job held.', 'attention');
  says({ devices, jobs: [{ ...job, analysis: { ...analysis, max: [1, 1, 0] } }] }, 'cut.gcode should not run as it is: it is held. Nothing is running, 1 job held.', 'attention');
});

test('an interrupted job asks for a decision', () =>
  says({ jobs: [{ name: 'part.nc', state: 'INTERRUPTED' }] }, 'part.nc was interrupted: decide. Nothing is running or waiting.', 'attention'));

test('a machine that stands and waits comes before a job that was not begun', () => {
  const jobs = [{ name: 'plate.nc', state: 'HELD' }, { name: 'x', state: 'PAUSED', device: 'mill', error: 'turn the part' }];
  says({ jobs }, '2 things need you: mill waits (turn the part) and plate.nc is held. Nothing is running, 1 job held.', 'attention');
});

test('a queue that starts nothing is said', () => {
  const queue = { state: 'paused', parts: [{ device: null, mode: 'paused' }, { device: 'mill', mode: 'draining' }], waiting: [], why: new Map() };
  says({ queue, jobs: [{ name: 'x', state: 'QUEUED' }] }, 'The queue is paused and the queue of mill is draining. Nothing is running, 1 job waiting.', 'attention');
  says({ queue: { ...queue, parts: queue.parts.slice(0, 1) }, jobs: [{ name: 'y', state: 'HELD' }] }, 'y is held: it needs you. Nothing is running, 1 job held. The queue is paused.', 'attention');
});

test('what mends itself is said but asks for nobody', () =>
  says({ daemons: [{ name: 'camera', state: 'BACKOFF' }] }, 'camera is restarting. Nothing is running or waiting.', 'attention'));

test('a failed daemon needs a person', () =>
  says({ daemons: [{ name: 'camera', state: 'FAILED' }] }, 'camera has failed: it needs you. Nothing is running or waiting.', 'bad'));

test('a lost connection hides everything else', () =>
  says({ phase: 'lost', devices: [{ name: 'mill', status: 'alarm' }] }, 'No connection to the station. What you see is frozen.', 'bad'));

test('a key is asked for', () => says({ phase: 'unauthorized' }, 'This station asks for its API key.', 'attention'));

test('an emergency stop that is not confirmed says what to do', () => {
  const devices = [{ name: 'mill', status: 'busy', estop: { sent: true, confirmed: false } }];
  says({ devices }, 'Emergency stop of mill is NOT CONFIRMED. Cut the power at the machine.', 'bad');
});

test('what waits and what is held are counted apart', () => {
  const jobs = ['QUEUED', 'HELD', 'HELD'].map((state, index) => ({ name: `job ${index}`, state }));
  const devices = [{ name: 'mill', status: 'busy' }];
  says({ devices, jobs }, '2 things need you: job 1 is held and job 2 is held. 1 machine working, 1 job waiting, 2 held.', 'attention');
});

test('waiting jobs that were not read are counted by the station', () => {
  // Its own length of the queue has what is held in it.
  const given = { moreJobs: true, station: { queue_length: 4213 }, queue: { ...initial().queue, queued: 4210, held: 3 } };
  says(given, 'All well. Nothing is running, 4\u202f210 jobs waiting, 3 held.', 'good');
});

const briefly = (given) => (({ lead, rest }) => `${lead} ${rest}`)(briefSentence(station(given)));

test('a phone has the same in two lines, whatever the names', () => {
  const long = `${'a'.repeat(200)}.gcode`;
  const jobs = [{ name: long, state: 'INTERRUPTED' }, { name: long, state: 'HELD' }, { name: long, state: 'PAUSED', device: long, error: long }, { name: 'x', state: 'RUNNING', kind: 'command' }, { name: 'y', state: 'QUEUED' }];
  const devices = [{ name: 'mill', status: 'busy' }];
  assert.equal(briefly({ devices, jobs: jobs.slice(1, 2) }), 'aaaaaaaaaaa….gcode is held: it needs you. 1 working, 1 held.');
  for (const given of [{ devices, jobs }, { devices, jobs: jobs.slice(2, 3) }, { jobs: jobs.slice(0, 1) }]) {
    const words = briefly(given);
    assert.equal(words.length <= 67, true, words);
  }
  assert.equal(briefly({ devices, jobs }).endsWith(' 2 working, 1 waiting, 1 held.'), true, 'the counts are not what is cut');
});

test('a phone says how a quiet station is, and one where things only wait', () => {
  assert.equal(briefly({}), 'All well. Nothing is running.');
  assert.equal(briefly({ jobs: [{ name: 'x', state: 'QUEUED' }], devices: [{ name: 'sim-marlin', status: 'alarm' }] }), 'sim-marlin is in alarm: it needs you. 1 waiting.');
});

test('a phone says what to do after a stop, however many machines there are', () => {
  const mill = (name, confirmed) => ({ name, status: 'busy', estop: { sent: true, confirmed } });
  assert.equal(briefly({ devices: [mill('mill', false), mill('lathe', true)] }), 'Stop NOT CONFIRMED: mill. Cut its power.');
  assert.equal(briefly({ devices: [mill('mill', false), mill('lathe', false)] }), 'Stop NOT CONFIRMED: 2 machines. Cut their power.');
  assert.equal(briefly({ devices: [mill('mill', true)] }), 'Stop confirmed: mill. Clear it once it is safe.');
});

test('the sentence holds no figure that changes by itself', () => {
  const state = station({ jobs: [{ name: 'x', state: 'RUNNING', progress_percentage: 3, eta_seconds: 9 }], devices: [{ name: 'a', status: 'busy' }] });
  const before = sentence(state).text;
  Object.assign(state.jobs.get('0'), { progress_percentage: 77, eta_seconds: 1 });
  assert.equal(sentence(state).text, before);
});
