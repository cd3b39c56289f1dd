/**
 * What became of a daemon lately, as a strip: one piece a state, its height and pattern beside its
 * colour, and the same in words. Long and short states must both be seen, so a piece grows with the
 * logarithm of its time.
 */

import { attribute, h, keyed, show, text } from './dom.js';
import { moment, span } from './format.js';
import { DAEMON, lookUp } from './states.js';

/** The states between changes, oldest first: `[{state, reason, from, seconds}]`. `now` is in milliseconds. */
export function segments(timeline, now) {
  const changes = (timeline ?? []).filter((change) => !Number.isNaN(Date.parse(change.at)));
  return changes.map(({ at, state, reason }, index) => {
    const until = index + 1 < changes.length ? Date.parse(changes[index + 1].at) : now;
    return { state, reason: reason ?? '', from: at, seconds: Math.max(0, (until - Date.parse(at)) / 1000) };
  });
}

/** How wide a state of so many seconds is drawn, beside others. */
export const weight = (seconds) => Math.log2(2 + Math.max(0, seconds));

/** The strip in words, newest first. */
export function inWords(pieces, most = 5) {
  if (pieces.length === 0) return 'Nothing is known of its past.';
  const told = [...pieces].reverse().slice(0, most).map(({ state, seconds }) => `${lookUp(DAEMON, state).word} for ${span(seconds)}`);
  const more = pieces.length - told.length;
  return `Now ${told.join(', before that ')}${more > 0 ? `, and ${more} earlier` : ''}.`;
}

/** The strip: `most` pieces at most, the newest. */
export function strip(most) {
  const element = h('div', { class: 'strip', role: 'img' });
  const render = keyed(element);
  return {
    element,
    update(daemon, now = Date.now()) {
      const pieces = segments(daemon.timeline, now);
      show(element, pieces.length > 0);
      attribute(element, 'aria-label', `History of ${daemon.name}: ${inWords(pieces)}`);
      render(pieces.slice(-most), (piece) => `${piece.from} ${piece.state}`, stripPiece);
    },
  };
}

/** Hundreds of them may be there each second: what does not change is worked out once. */
function stripPiece({ state, from, reason }) {
  const { meaning, word } = lookUp(DAEMON, state);
  const element = h('span', { data: { piece: state, meaning } });
  const since = `since ${moment(from)}${reason ? `: ${reason}` : ''}`;
  let grown = '';
  return {
    element,
    update({ seconds }) {
      const grow = weight(seconds).toFixed(1);
      if (grow !== grown) element.style.flexGrow = grow;
      grown = grow;
      attribute(element, 'title', `${word} for ${span(seconds)}, ${since}`);
    },
  };
}

/** The same changes as a list, newest first. */
export function changeList() {
  const element = h('ol', { class: 'changes' });
  const render = keyed(element);
  return {
    element,
    update(daemon, now = Date.now()) {
      render(segments(daemon.timeline, now).reverse(), (piece) => `${piece.from} ${piece.state}`, changeLine);
    },
  };
}

function changeLine({ state, from }) {
  const { word, meaning } = lookUp(DAEMON, state);
  const lasted = h('span', { class: 'note figures' });
  const reason = h('span', { class: 'words' });
  const element = h('li', { data: { meaning } }, h('time', { class: 'note figures', datetime: from }, moment(from)), h('span', { class: 'strip key', 'aria-hidden': 'true' }, h('span', { data: { piece: state, meaning } })), h('strong', {}, word), lasted, reason);
  return {
    element,
    update(piece) {
      text(lasted, span(piece.seconds));
      text(reason, piece.reason);
    },
  };
}
