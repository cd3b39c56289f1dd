// The lines of a log, and who on the page hears them.
import assert from 'node:assert/strict';
import test from 'node:test';

import { createFollowing } from '../../static/following.js';
import { beyond, clean, contains, linesOf } from '../../static/loglines.js';

test('what a terminal would obey is taken out, the rest is shown', () => {
  assert.equal(clean('\u001b[1;31merror\u001b[0m: \u001b]0;title\u0007no\u0000 disk\r'), 'error: no␀ disk');
  assert.equal(clean('<b>plain</b>\tx'), '<b>plain</b>    x');
});

test('the end of the last line begins no other', () => {
  assert.deepEqual(linesOf('a\n\nb\n'), ['a', '', 'b']);
  assert.deepEqual(linesOf(''), []);
  assert.deepEqual(linesOf(null), []);
});

test('a file and what was heard while it was read join without gap or repetition', () => {
  assert.deepEqual(beyond(['1', '2', '3'], ['2', '3', '4']), ['4']);
  assert.deepEqual(beyond(['1', '2', '3'], ['4', '5']), ['4', '5']);
  assert.deepEqual(beyond(['1', '2', '3'], ['1', '2', '3']), []);
  assert.deepEqual(beyond([], ['1']), ['1']);
  assert.deepEqual(beyond(['1'], []), []);
  assert.deepEqual(beyond(['a', 'b', 'a'], ['a', 'b', 'a', 'c']), ['c'], 'the longest overlap counts');
});

test('a line is found whatever its capitals', () => assert.equal(contains('Disk FULL', 'full'), true));

test('a follower begins when the station sends its channel, and again after a gap', () => {
  let changes = 0;
  const told = [];
  const following = createFollowing(() => (changes += 1));
  const follower = (name) => ({ begin: () => told.push(`${name} begins`), line: (words) => told.push(`${name}: ${words}`), refused: (words) => told.push(`${name} refused ${words}`) });
  const leave = following.follow('daemon:a', follower('a'));
  assert.deepEqual(following.channels(), ['daemon:a']);
  following.heard(['jobs'], true);
  following.heard(['jobs', 'daemon:a'], false);
  following.heard(['jobs', 'daemon:a'], false);
  following.take({ target: 'daemon:a', message: 'x' });
  following.take({ target: 'daemon:b', message: 'y' });
  following.heard(['daemon:a'], true);
  following.follow('daemon:b', follower('b'));
  following.refused('too many');
  leave();
  leave();
  following.take({ target: 'daemon:a', message: 'z' });
  assert.deepEqual(told, ['a begins', 'a: x', 'a begins', 'b refused too many']);
  assert.deepEqual([following.channels(), changes], [['daemon:b'], 3]);
});
