/** What the lines and marks of a toolpath mean, in words beside the same lines and marks. */

import { h, show, svg } from './dom.js';

const MOST = 12;

const line = (kind) => svg('svg', { class: 'key-line', 'data-line': kind, viewBox: '0 0 20 8', 'aria-hidden': 'true' }, svg('path', { d: 'M1 4h18' }));

/** The sign of a mark; `colour` is one that `safeColour` let through. */
export function sign(kind, colour = null) {
  const shape = { stop: ['path', { d: 'M6 0 12 6 6 12 0 6Z' }], layer: ['circle', { cx: 6, cy: 6, r: 5 }], resume: ['circle', { cx: 6, cy: 6, r: 4.5 }] }[kind];
  const element = svg('svg', { class: 'key-mark', 'data-sign': kind, viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg(...shape));
  if (colour) element.style.setProperty('--swatch', colour);
  return element;
}

/** `update({path, envelope, leaves, marks})`; it names only what is in the picture. */
export function legend() {
  const element = h('ul', { class: 'legend note', 'aria-label': 'What the picture shows' });
  show(element, false);
  return {
    element,
    update({ path, envelope, leaves, marks }) {
      show(element, Boolean(path) && path.draw.length > 1);
      if (!path) return;
      const entries = [['todo', 'to come'], ['done', 'drawn'], ['travel', 'travel']];
      if (envelope) entries.push(['frame', 'reach of the machine']);
      if (leaves) entries.push(['outside', 'out of reach']);
      const lines = entries.map(([kind, words]) => h('li', {}, line(kind), words));
      const seen = marks.slice(0, MOST).map(({ kind, label, colour }) => h('li', { data: { mark: kind } }, sign(kind, colour), h('span', { class: 'clamp' }, kind === 'stop' ? `stop: ${label}` : label)));
      const more = marks.length > MOST ? [h('li', {}, `and ${marks.length - MOST} more`)] : [];
      element.replaceChildren(...lines, ...seen, ...more);
    },
  };
}
