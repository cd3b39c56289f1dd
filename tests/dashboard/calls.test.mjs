// What a job asks of a person, and what a preflight says, in words.
import assert from 'node:assert/strict';
import test from 'node:test';

import { atFileStop, callOf, canSkip, goOnLabel, layerAt, stopSentence, stopWords } from '../../static/calls.js';
import { initial } from '../../static/reduce.js';
import { beyondWords, boundsOf, isBeyondReach, machineFor, problemWords, redWords, sentenceOf } from '../../static/reportwords.js';
import { confidenceOf, needsForce, placeWords, stepsOf } from '../../static/resumewords.js';

const layers = [{ name: 'black', colour: '#000000', line: 2 }, { name: 'blue', colour: '#00f', line: 40 }, { name: 'dark blue', colour: 'url(x)', line: 90 }];
const stops = [{ line: 40, message: 'change the pen: blue' }, { line: 90, message: 'change the pen: dark blue' }, { line: 120, message: 'M0' }];
const paused = (error, more = {}) => ({ id: 'j', name: 'two.svg', kind: 'device', state: 'PAUSED', device: 'plotter', error, lines_acknowledged: 39, analysis: { stops, layers }, ...more });

test('a stop of the file names the layer that comes next', () => {
  assert.equal(layerAt(paused('change the pen: blue')).name, 'blue');
  assert.equal(layerAt(paused('change the pen: dark blue')).name, 'dark blue', 'the longest name in the message');
  assert.equal(layerAt(paused('M0', { lines_acknowledged: 110 })), null, 'nothing begins there');
  assert.equal(layerAt(paused('load paper', { analysis: { layers, stops: [{ line: 40, message: 'load paper' }] } })).name, 'blue', 'by its line');
  assert.equal(layerAt({ ...paused(null), state: 'RUNNING' }), null);
});

test('a stop is a sentence with its machine', () => {
  assert.equal(stopSentence(paused('change the pen: blue')), 'Change the pen on plotter: blue.');
  assert.equal(stopSentence(paused('Change pen: red', { analysis: null })), 'Change the pen on plotter: red.');
  assert.equal(stopSentence(paused('change the tool', { analysis: null })), 'Change the tool on plotter.');
  assert.equal(stopSentence(paused('M0', { analysis: null })), 'plotter waits for you: M0.');
});

test('a stop that a layer makes is told in few words', () => {
  const message = 'layer 2 of 3: "blue" (#0000ff): change the pen';
  const job = paused(message, { analysis: { layers, stops: [{ line: 40, message }] } });
  assert.deepEqual(callOf(initial(), job), { kind: 'stop', headline: 'Change the pen: blue.', detail: 'layer 2 of 3', colour: '#00f' });
  assert.equal(stopWords(job), 'plotter waits (change the pen: blue)');
  assert.equal(stopWords(paused('turn it.', { analysis: null })), 'plotter waits (turn it)');
  assert.equal(callOf(initial(), paused('load paper', { analysis: { layers, stops: [{ line: 40, message: 'load paper' }] } })).headline, 'Load paper.', 'what a person wrote stays');
});

test('the button says what was done', () => {
  assert.equal(goOnLabel(paused('change the pen: blue')), 'Pen is changed, go on');
  assert.equal(goOnLabel(paused('load paper', { analysis: { layers, stops: [{ line: 40, message: 'load paper' }] } })), 'Pen is changed, go on');
  assert.equal(goOnLabel(paused('fit the 3 mm end mill', { analysis: null })), 'Tool is changed, go on');
  assert.equal(goOnLabel(paused('turn the part', { analysis: null })), 'Done, go on');
  assert.equal(goOnLabel(paused('open the vice', { analysis: null })), 'Done, go on');
});

test('a stop of the file is told from one of the machine or of a person', () => {
  assert.equal(atFileStop(paused('M0')), true);
  assert.equal(atFileStop(paused('the door is open')), false, 'the machine holds by itself');
  assert.equal(atFileStop(paused('the door is open', { analysis: {} })), true, 'what is not known may be');
  assert.equal(atFileStop(paused(null)), false, 'a person paused it');
  assert.equal(atFileStop({ ...paused('M0'), state: 'FAILED' }), false);
});

test('a layer is skipped only where one begins', () => {
  assert.equal(canSkip(paused('change the pen: blue')), true);
  assert.equal(canSkip(paused('M0', { lines_acknowledged: 110 })), false, 'the last layer has begun');
  assert.equal(canSkip(paused('M0', { analysis: { stops } })), false, 'a file without layers');
  assert.equal(canSkip(paused('the door is open')), false);
});

test('a colour of a file that is no colour is never used', () => {
  assert.equal(callOf(initial(), paused('change the pen: dark blue')).colour, null);
  assert.equal(callOf(initial(), paused('change the pen: blue')).colour, '#00f');
});

const mill = { name: 'mill', driver: 'grbl', envelope: { x: 300, y: 200, z: 50 } };
const shop = (devices = [mill]) => {
  const state = initial();
  for (const device of devices) state.devices.set(device.name, device);
  return state;
};
const far = (more = {}) => ({ id: 'f', name: 'cut.gcode', kind: 'device', state: 'HELD', driver: 'grbl', analysis: { verdict: 'red', min: [-0.001, -3, -2], max: [312, 190, 0], problems: [], ...more } });

test('what leaves the reach is measured, what is rounded is not', () => {
  assert.deepEqual(boundsOf(far().analysis, mill.envelope).map(({ axis, beyond }) => [axis, beyond]), [['X', 12], ['Y', 3], ['Z', 0]]);
  assert.equal(beyondWords(boundsOf(far().analysis, mill.envelope)), 'by 12 mm on X and 3 mm on Y');
  assert.equal(beyondWords(boundsOf({ min: [0, 0, -51], max: [1, 1, 50.5] }, mill.envelope)), 'by 1 mm on Z', 'Z counts both ways');
  assert.deepEqual(boundsOf({ min: null, max: null }, mill.envelope), []);
  assert.equal(beyondWords(boundsOf(far().analysis, null)), '', 'without a reach nothing leaves it');
});

test('the machine of a job is its own, or the only one that it may run on', () => {
  assert.equal(machineFor(shop(), far()).name, 'mill');
  assert.equal(machineFor(shop([mill, { ...mill, name: 'other' }]), far()), null);
  assert.equal(machineFor(shop(), { ...far(), device: 'gone' }), null);
  assert.equal(machineFor(shop(), { id: 'x' }), null);
});

test('a red job says why it is held, its reach first', () => {
  assert.equal(callOf(shop(), far()).headline, 'It leaves the machine’s reach by 12 mm on X and 3 mm on Y.');
  const denied = far({ max: [1, 1, 0], min: [0, 0, 0], problems: [{ severity: 'amber', message: 'no units', code: 'no-units' }, { severity: 'red', line: 7, message: 'M500 is denied', code: 'denied-command', count: 2 }] });
  assert.equal(redWords(denied, mill.envelope), 'Line 7: M500 is denied (2 lines).');
  assert.equal(isBeyondReach(denied, mill.envelope), false);
  assert.equal(isBeyondReach(far({ min: null, max: null, problems: [{ severity: 'red', code: 'envelope', message: 'x' }] }), null), true);
  assert.equal(callOf(shop(), { ...far(), forced: true }).kind, 'held', 'a person has insisted');
});

test('what asks for nobody asks nothing', () => {
  for (const state of ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'FROM_THE_FUTURE']) assert.equal(callOf(shop(), { id: 'x', state }), null, state);
  assert.equal(callOf(shop(), paused(null)), null, 'whoever paused it knows');
  assert.equal(callOf(shop(), { id: 'x', kind: 'command', state: 'PAUSED', error: 'x' }), null);
  assert.equal(callOf(shop(), { id: 'x', state: 'INTERRUPTED', reason: 'unplugged' }).detail, 'Unplugged.');
});

test('words of others become sentences', () => {
  assert.equal(sentenceOf(' change it '), 'Change it.');
  assert.equal(sentenceOf('Really?'), 'Really?');
  assert.equal(sentenceOf(''), '');
  assert.equal(problemWords({ line: null, message: 'no reach', count: 1 }), 'no reach');
});

test('a way back in is told step by step, with what is not certain', () => {
  const plan = { token: 't', confidence: 'needs_homing', reason: 'the machine lost power', last_certain_line: 1240, from_line: 1233, lines_left: 767, redo_lines: 7, preamble: ['M5', 'G0 X1'], position: { x: 1, y: -2, z: 0 } };
  assert.deepEqual(stepsOf(plan), [
    'Everything up to line 1\u202f240 is known to be done.',
    'First, 2 lines bring the tool back, as shown below.',
    'Then it goes on at line 1\u202f233, 767 lines to the end.',
    '7 lines that may have been done already are done again.',
    'The machine says that its tool is at X 1.00 Y \u22122.00 Z 0.00.',
  ]);
  assert.deepEqual(confidenceOf(plan), { meaning: 'attention', word: 'needs homing', lead: 'The machine must be homed first: it no longer knows where it is.', reason: 'The machine lost power.' });
  assert.deepEqual([needsForce(plan), needsForce({ confidence: 'untrusted' })], [false, true]);
  assert.equal(confidenceOf({ confidence: 'from_the_future' }).meaning, 'attention', 'what is not known is not certain');
  assert.deepEqual(stepsOf({ last_certain_line: 0 }), ['No line of the file is known to be done.']);
  assert.deepEqual(stepsOf({}), []);
  assert.deepEqual(stepsOf({ token: 't', from_line: null }), ['No line of the file is left to be done.']);
  assert.equal(placeWords([1, 2]), 'X 1.00 Y 2.00');
});
