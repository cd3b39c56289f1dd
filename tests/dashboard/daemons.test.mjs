// Which daemons are shown, in which order, and what is said of them.
import assert from 'node:assert/strict';
import test from 'node:test';

import { movable } from '../../static/daemonbulk.js';
import { daemonAddress, facet, isFiltered, matches, readChoice, writeChoice } from '../../static/daemonchoice.js';
import { byNeed, inGroups, needing, needsOf, shownOf } from '../../static/daemonorder.js';
import { attemptOf, chainOf, countdown, listed, needWords, outcomeOf, summary } from '../../static/daemonwords.js';
import { verdictOf } from '../../static/lastrun.js';
import { apply, initial } from '../../static/reduce.js';
import { inWords, segments, weight } from '../../static/timeline.js';

const daemon = (name, needs = [], more = {}) => ({ name, category: 'demo', state: 'RUNNING', dependencies: needs.map((need) => ({ name: need, condition: 'started', required: true, met: true })), ...more });
const order = (daemons) => byNeed(daemons).map(({ daemon: { name }, depth }) => `${name} ${depth}`);

test('the address keeps what is chosen, whatever the names hold', () => {
  const choice = readChoice('');
  choice.category.add('a & b').add('c,d');
  choice.state.add('FAILED');
  choice.why.add('x/y?z');
  Object.assign(choice, { order: 'need', find: ' ä=1 ' });
  const again = readChoice(writeChoice(choice));
  assert.equal(writeChoice(again), writeChoice(choice));
  assert.deepEqual([[...again.category], [...again.state], [...again.why], again.order, again.find], [['a & b', 'c,d'], ['FAILED'], ['x/y?z'], 'need', ' ä=1 ']);
});

test('nothing chosen is the plain address, and nonsense is nothing', () => {
  assert.equal(writeChoice(readChoice('#/daemons')), '#/daemons');
  assert.equal(writeChoice(readChoice('#/daemons?order=sideways&state=&other=1')), '#/daemons');
  assert.equal(isFiltered(readChoice('#/daemons?why=a&order=need')), false);
  assert.deepEqual([...readChoice(daemonAddress('a b')).why], ['a b']);
});

test('filters narrow each other, and each counts what it would show', () => {
  const daemons = [daemon('a'), daemon('b', [], { state: 'FAILED' }), daemon('c', [], { category: 'web', state: 'FAILED' }), daemon('d', [], { category: undefined })];
  const choice = readChoice('#/daemons?state=FAILED');
  assert.deepEqual(daemons.filter((it) => matches(it, choice)).map((it) => it.name), ['b', 'c']);
  assert.deepEqual(facet(daemons, choice, 'category'), [{ value: 'demo', number: 1 }, { value: 'other', number: 0 }, { value: 'web', number: 1 }]);
  assert.deepEqual(facet(daemons, choice, 'state'), [{ value: 'RUNNING', number: 2 }, { value: 'FAILED', number: 2 }], 'its own choice hides none of its values');
});

test('a chosen value that nothing has any more can be taken back', () => {
  const values = facet([daemon('a')], readChoice('#/daemons?state=FAILED'), 'state');
  assert.deepEqual(values, [{ value: 'RUNNING', number: 1 }, { value: 'FAILED', number: 0 }]);
});

test('a word is found in name, title and description', () => {
  const choice = readChoice('#/daemons?find=Post');
  assert.equal(matches(daemon('db', [], { title: 'PostgreSQL' }), choice), true);
  assert.equal(matches(daemon('db'), choice), false);
});

test('what is needed stands above, and each right below the last that it needs', () => {
  const daemons = [daemon('api', ['cache', 'db']), daemon('cache'), daemon('db'), daemon('page', ['api']), daemon('alone')];
  assert.deepEqual(order(daemons), ['alone 0', 'cache 0', 'db 0', 'api 1', 'page 2']);
});

test('what is missing or goes round is shown all the same', () => {
  assert.deepEqual(order([daemon('a', ['gone'])]), ['a 0']);
  assert.deepEqual(order([daemon('a', ['b']), daemon('b', ['a']), daemon('self', ['self'])]), ['self 0', 'a 0', 'b 1']);
});

test('a thousand in a chain are put in order', () => {
  const daemons = Array.from({ length: 1000 }, (_, index) => daemon(`d${String(index).padStart(4, '0')}`, index < 999 ? [`d${String(index + 1).padStart(4, '0')}`] : []));
  const found = byNeed(daemons);
  assert.equal(found.length, 1000);
  assert.equal(found[0].daemon.name, 'd0999');
  assert.equal(found[999].depth, 999);
});

test('what a filter leaves out indents nobody', () => {
  const all = byNeed([daemon('a'), daemon('b', ['a']), daemon('c', ['b']), daemon('d')]);
  const shown = shownOf(all, (it) => it.name !== 'b').map(({ daemon: { name }, depth }) => `${name} ${depth}`);
  assert.deepEqual(shown, ['a 0', 'c 1', 'd 0']);
});

test('names alone are needs of which nothing more is known', () => {
  assert.deepEqual(needsOf({ name: 'a', depends_on: ['b'], dependencies: [] }), [{ name: 'b', condition: null, required: true, met: null }]);
  assert.deepEqual(needsOf({ name: 'a' }), []);
  assert.equal(needWords({ name: 'b', condition: 'healthy', required: false, met: false }), 'if present · healthy · not yet');
  assert.equal(needWords({ name: 'b', condition: null, required: true, met: null }), '');
});

test('groups stand by name, and in them the daemons', () => {
  const groups = inGroups([daemon('b'), daemon('a'), daemon('z', [], { category: 'core' }), daemon('x', [], { category: '' })]);
  assert.deepEqual(groups.map((group) => [group.category, group.daemons.map((it) => it.name)]), [['core', ['z']], ['demo', ['a', 'b']], ['other', ['x']]]);
});

test('a stop names those that are up and need it', () => {
  const daemons = [daemon('db'), daemon('web', ['db']), daemon('down', ['db'], { state: 'STOPPED' }), { ...daemon('soft'), dependencies: [{ name: 'db', required: false }] }];
  assert.deepEqual(needing(daemons, 'db'), ['web']);
});

test('a move at once is for those alone that allow it', () => {
  const daemons = ['STOPPED', 'RUNNING', 'BACKOFF', 'FAILED', 'STOPPING', 'UNHEARD_OF'].map((state) => daemon(state, [], { state }));
  const names = (move) => movable(daemons, move).map((it) => it.name);
  assert.deepEqual(names('start'), ['STOPPED', 'BACKOFF', 'FAILED']);
  assert.deepEqual(names('restart'), ['RUNNING']);
  assert.deepEqual(names('rolling'), ['RUNNING']);
  assert.deepEqual(names('stop'), ['RUNNING', 'BACKOFF']);
});

test('many outcomes are one sentence and the refusals', () => {
  const items = [{ name: 'a', ok: true, did: 'started (PID 1)' }, { name: 'b', ok: true, did: 'started (PID 2)' }, { name: 'c', ok: false, did: '', error: 'no such program' }];
  assert.deepEqual(outcomeOf(items), { words: '2 daemons: started; 1 did not.', refused: [{ name: 'c', error: 'no such program' }] });
  assert.equal(outcomeOf([]).words, 'There was nothing to do.');
});

test('a countdown counts down, and says which restart comes', () => {
  const down = { state: 'BACKOFF', next_restart_at: '2026-01-01T00:00:10.000Z', attempt: 3, max_restarts: 5 };
  const at = (seconds) => Date.parse('2026-01-01T00:00:00.000Z') + seconds * 1000;
  assert.equal(countdown(down, at(0)), 'restarts in 10 s');
  assert.equal(countdown(down, at(9.2)), 'restarts in 1 s');
  assert.equal(countdown(down, at(12)), 'restarts now');
  assert.equal(countdown(down, at(-600)), 'restarts in 10 min');
  assert.equal(attemptOf(down), 'restart 3 of 5');
  assert.equal(attemptOf({ state: 'RUNNING', attempt: 3 }), '');
  assert.equal(countdown({ state: 'BACKOFF' }), '');
});

test('a cause is told by the station, else by what is known', () => {
  const why = { since: '2026-01-01T00:00:00Z', causes: [{ at: null, text: 'It runs.' }], next: 'Nothing.' };
  assert.equal(chainOf({ state: 'RUNNING', why }).causes[0].text, 'It runs.');
  const older = chainOf({ state: 'FAILED', last_error: 'exit 1', health: { status: 'unknown', message: '' } });
  assert.deepEqual(older.causes.map((cause) => cause.text), ['It failed too often in a row. A person starts it again.', 'It last went down because: exit 1']);
  assert.equal(chainOf({ state: 'UNHEARD_OF' }).causes.length, 1);
});

test('a cause does not outlive its state', () => {
  const state = initial();
  state.daemons.set('a', { name: 'a', state: 'RUNNING', why: { causes: [] } });
  const event = { type: 'daemon_status', name: 'a', health: 'healthy', message: 'ok', restarts: 0 };
  apply(state, { ...event, state: 'RUNNING' }, 1);
  assert.deepEqual(state.daemons.get('a').why, { causes: [] });
  apply(state, { ...event, state: 'BACKOFF' }, 2);
  assert.equal(state.daemons.get('a').why, null);
});

test('the past is pieces that last until the next, the last until now', () => {
  const at = (second) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
  const timeline = [{ at: at(0), state: 'STARTING', reason: 'x' }, { at: at(2), state: 'RUNNING' }, { at: 'never', state: 'FAILED' }, { at: at(30), state: 'BACKOFF', reason: 'exit 1' }];
  const pieces = segments(timeline, Date.parse(at(34)));
  assert.deepEqual(pieces.map((piece) => [piece.state, piece.seconds]), [['STARTING', 2], ['RUNNING', 28], ['BACKOFF', 4]]);
  assert.equal(inWords(pieces), 'Now backing off for 4 s, before that running for 28 s, before that starting for 2 s.');
  assert.equal(inWords(pieces, 1), 'Now backing off for 4 s, and 2 earlier.');
  assert.deepEqual(segments(undefined, 0), []);
  assert.equal(segments([{ at: at(9), state: 'RUNNING' }], Date.parse(at(5)))[0].seconds, 0, 'clocks that differ give no negative time');
  assert.equal(weight(0) > 0 && weight(86400) < 20, true, 'short and long are both seen');
});

test('only a run that did not end well is spoken of', () => {
  for (const run of [undefined, null, {}, { verdict: 'clean' }, { verdict: 'first' }]) assert.equal(verdictOf(run), null);
  assert.equal(verdictOf({ verdict: 'power_loss', ended_at: 'x' }).lead, 'The last run ended by a power loss.');
  assert.equal(verdictOf({ verdict: 'from_the_future', detail: 'A word.' }).detail, 'A word.');
});

test('names are listed up to a few', () => {
  assert.equal(listed(['a', 'b']), 'a, b');
  assert.equal(listed(['a', 'b', 'c'], 2), 'a, b and 1 more');
});

test('a summary counts each state that there is', () => assert.equal(summary([daemon('a'), daemon('b'), daemon('c', [], { state: 'BACKOFF' })]), '2 running, 1 restarting'));
