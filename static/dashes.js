/**
 * The dashes of travel. They lie where the paper says, not where a line begins: moves to and fro over
 * the same place fall on the same dashes and stay plainly dashed. Each dash is drawn once, so that
 * their number is bounded by the paper, not by the file. Pure functions.
 */

const [DASH, PERIOD] = [2, 6]; // Pixels along the axis that a line mostly follows.

/** For a paper of so many pixels: `add(x0, y0, x1, y1)` gives the dashes of a line that are new, as `[[x0, y0, x1, y1], …]`. */
export function dashes(width, height) {
  const across = marks(width, height);
  const upright = marks(height, width);
  return (x0, y0, x1, y1) => {
    if (Math.abs(x1 - x0) >= Math.abs(y1 - y0)) return along(across, x0, y0, x1, y1);
    return along(upright, y0, x0, y1, x1).map(([a, b, c, d]) => [b, a, d, c]);
  };
}

/** Which dashes are drawn: a bit for each place along the axis and each pixel beside it. */
function marks(long, wide) {
  const most = Math.ceil(long / PERIOD) + 1;
  const drawn = new Uint8Array(most * (Math.ceil(wide) + 1));
  return (index, beside) => {
    const row = Math.round(beside);
    if (index < 0 || index >= most || row < 0 || row > wide) return false;
    const at = row * most + index;
    if (drawn[at]) return false;
    drawn[at] = 1;
    return true;
  };
}

function along(isNew, from, besideFrom, to, besideTo) {
  if (from > to) return along(isNew, to, besideTo, from, besideFrom);
  const slope = to === from ? 0 : (besideTo - besideFrom) / (to - from);
  const beside = (place) => besideFrom + (place - from) * slope;
  const found = [];
  for (let index = Math.max(0, Math.floor(from / PERIOD)); index * PERIOD < to; index += 1) {
    const [begin, end] = [Math.max(from, index * PERIOD), Math.min(to, index * PERIOD + DASH)];
    if (begin < end && isNew(index, beside((begin + end) / 2))) found.push([begin, beside(begin), end, beside(end)]);
  }
  return found;
}
