/** A line of a list that is dragged by its handle, with mouse, pen or finger. */

const SLACK = 4; // Pixels that a finger may slip and still press.

/**
 * Drags `line` among the movable ones of `list`; `drop(index)` at the end, Esc leaves it where it was.
 * Returns a function that tells whether that has just happened: the click that follows is no press.
 */
export function dragging(button, line, list, drop) {
  let from = null;
  let to = null;
  let recently = false;
  const others = () => [...list.querySelectorAll(':scope > [data-movable]')];
  const unmark = () => {
    for (const other of others()) other.classList.remove('drop-above', 'drop-below', 'dragged');
  };

  function stop() {
    from = null;
    to = null;
    unmark();
    removeEventListener('keydown', escape, true);
  }

  function escape(event) {
    if (event.key === 'Escape') stop();
  }

  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    from = event.clientY;
    to = null;
    recently = false;
    addEventListener('keydown', escape, true);
  });
  button.addEventListener('pointermove', (event) => {
    if (from === null || (to === null && Math.abs(event.clientY - from) < SLACK)) return;
    const lines = others();
    const own = lines.indexOf(line);
    const above = lines.findIndex((other) => {
      const box = other.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    const gap = above < 0 ? lines.length : above;
    to = gap > own ? gap - 1 : gap;
    unmark();
    line.classList.add('dragged');
    if (to !== own) (gap < lines.length ? lines[gap] : lines.at(-1)).classList.add(gap < lines.length ? 'drop-above' : 'drop-below');
  });
  button.addEventListener('pointerup', () => {
    const wanted = to;
    stop();
    if (wanted === null) return;
    recently = true;
    setTimeout(() => {
      recently = false;
    });
    drop(wanted);
  });
  button.addEventListener('pointercancel', stop);
  return () => recently;
}
