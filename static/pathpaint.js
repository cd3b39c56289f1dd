/**
 * What stands below and above a toolpath on its canvas. Each takes the context, in CSS pixels, and
 * the drawing: `{at, scale, colours}` and what is to be painted.
 */

import { pointAt } from './pathplace.js';

/** The reach of the machine as a grid in a frame. */
export function paintEnvelope(context, { envelope, at, scale, colours }) {
  const { x, y } = envelope;
  const step = Math.max(x, y) > 500 ? 100 : Math.max(x, y) > 120 ? 50 : 10;
  const grid = new Path2D();
  const line = (from, to) => {
    grid.moveTo(...at(...from));
    grid.lineTo(...at(...to));
  };
  for (let place = step; place < x; place += step) line([place, 0], [place, y]);
  for (let place = step; place < y; place += step) line([0, place], [x, place]);
  stroke(context, grid, colours.grid, 1);
  const [left, top] = at(0, y);
  context.strokeStyle = colours.frame;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.strokeRect(left, top, x * scale, y * scale);
}

/** A dot where a layer begins, a diamond for a stop, a ring where an interrupted job would go on. */
export function paintMarks(context, { path, marks, at, colours }) {
  for (const { kind, place, colour } of marks) {
    const [x, y] = at(...pointAt(path, place));
    const mark = new Path2D();
    if (kind === 'stop') for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0], [0, -6]]) mark.lineTo(x + dx, y + dy);
    else mark.arc(x, y, kind === 'resume' ? 8 : 5, 0, 2 * Math.PI);
    // A rim of paper first, so that a mark stands out from whatever is drawn below it.
    stroke(context, mark, colours.paper, kind === 'resume' ? 6 : 4);
    if (kind !== 'resume') {
      context.fillStyle = colour ?? (kind === 'stop' ? colours.stop : colours.head);
      context.fill(mark);
    }
    stroke(context, mark, kind === 'stop' ? colours.stop : colours.head, kind === 'resume' ? 2.5 : 1);
  }
}

/** The tool, as a cross with an open middle. */
export function paintTool(context, { head, at, colours }) {
  const [x, y] = at(head.x, head.y);
  const cross = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    cross.moveTo(x + dx * 4, y + dy * 4);
    cross.lineTo(x + dx * 10, y + dy * 10);
  }
  cross.moveTo(x + 4, y);
  cross.arc(x, y, 4, 0, 2 * Math.PI);
  stroke(context, cross, colours.head, 1.25);
}

/** Draws a path as a line. */
export function stroke(context, path, colour, width, dashes = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dashes);
  context.stroke(path);
}
