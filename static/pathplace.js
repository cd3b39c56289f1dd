/** Where on a toolpath a number of lines, a tool or a line of the file is. Pure functions. */

const AHEAD = 64; // Lines that a machine may have acknowledged and not yet moved by.
const [AT, NEAR] = [0.05, 1]; // Millimetres from the path: on it, and not far from it.

/** Where on the path the machine is after `lines` lines: a segment index with a fraction. */
export function reached(path, lines) {
  return placeIn(path.lines, lines);
}

/**
 * Where on the path the line `number` of the file begins. What the machine is sent is counted
 * otherwise than the lines of a file with comments: a path that knows both says so in `numbers`.
 */
export function placeOfLine(path, number) {
  return Math.floor(placeIn(path.numbers ?? path.lines, number - 1));
}

function placeIn(after, lines) {
  if (after.length === 0 || lines < after[0]) return 0;
  const low = lastNotAbove(after, lines);
  if (low >= after.length - 1) return after.length - 1;
  const high = lastNotAbove(after, after[low + 1]);
  const within = (lines - after[low]) / (after[low + 1] - after[low]);
  return low + within * (high - low);
}

/**
 * Where on the path the tool is: the first place where the path comes up to it, from `from` on and
 * among the lines that the machine may be working on; if it is nowhere near, no step is made.
 */
export function toolPlace(path, lines, tool, from = 0) {
  const end = reached(path, lines);
  const first = Math.max(from, reached(path, Math.max(0, lines - AHEAD)));
  let best = { place: from > 0 ? first : end, distance: NEAR };
  for (let i = Math.floor(first); i < end && best.distance > AT; i += 1) {
    const [x0, y0, x1, y1] = path.points.slice(2 * i, 2 * i + 4);
    const long = (x1 - x0) ** 2 + (y1 - y0) ** 2;
    const along = long === 0 ? 0 : Math.min(1, Math.max(0, ((tool.x - x0) * (x1 - x0) + (tool.y - y0) * (y1 - y0)) / long));
    const distance = Math.hypot(x0 + along * (x1 - x0) - tool.x, y0 + along * (y1 - y0) - tool.y);
    if (distance < best.distance) best = { place: i + along, distance };
  }
  return Math.min(end, Math.max(first, best.place));
}

function lastNotAbove(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The point at a place on the path, in millimetres. */
export function pointAt(path, place) {
  const last = path.draw.length - 1;
  const i = Math.min(last, Math.max(0, Math.floor(place)));
  const next = Math.min(last, i + 1);
  const along = Math.min(1, Math.max(0, place - i));
  return [0, 1].map((axis) => path.points[2 * i + axis] + along * (path.points[2 * next + axis] - path.points[2 * i + axis]));
}

/** True where the end or the start of segment `i` lies outside what the machine can reach. */
export function isOutside(path, i, envelope) {
  if (!envelope) return false;
  const out = (k) => {
    const [x, y] = [path.points[2 * k], path.points[2 * k + 1]];
    return x < -0.005 || y < -0.005 || x > envelope.x + 0.005 || y > envelope.y + 0.005;
  };
  return out(i) || out(i - 1);
}

/** A colour that a file names, if it is one that can be drawn; anything else a file says is no style. */
export const safeColour = (colour) => (typeof colour === 'string' && /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(colour) ? colour : null);

/**
 * What is marked on the path: where each layer begins, where the file stops for a person, and where an
 * interrupted job would go on. A stop that only begins a layer is that layer's mark.
 */
export function marksOf(path, { stops = [], layers = [], resume = null } = {}) {
  if (!path || path.draw.length < 2) return [];
  const begins = new Set(layers.map((layer) => layer.line));
  const marks = layers.map((layer) => ({ kind: 'layer', place: placeOfLine(path, layer.line), label: layer.name, colour: safeColour(layer.colour) }));
  for (const stop of stops) if (!begins.has(stop.line)) marks.push({ kind: 'stop', place: placeOfLine(path, stop.line), label: stop.message, colour: null });
  if (resume) {
    const place = typeof resume.skip_lines === 'number' ? Math.floor(reached(path, resume.skip_lines)) : placeOfLine(path, resume.from_line ?? 1);
    marks.push({ kind: 'resume', place, label: 'goes on here', colour: null });
  }
  return marks;
}
