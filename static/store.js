/**
 * The one store of state. It is fed by the WebSocket and by the documents that are
 * read beside it; views render from it and own no truth. Changes are drawn once a frame.
 */

import { initial } from './reduce.js';

export function createStore() {
  const state = initial();
  const listeners = new Set();
  let scheduled = false;

  function notify() {
    scheduled = false;
    for (const listener of listeners) listener(state);
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    // A hidden page gets no frames, but its title and icon must still tell the truth.
    if (document.hidden) setTimeout(notify, 250);
    else requestAnimationFrame(notify);
  }

  return {
    state,
    /** Changes the state with `edit(state)` and has everything redrawn. */
    change(edit) {
      edit(state);
      schedule();
    },
    /** Calls `listener(state)` after changes; returns what ends it. */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Draws again without a change, as countdowns need. */
    redraw: schedule,
    /** True while what is shown is what is so. */
    get live() {
      return state.connection.phase === 'live';
    },
  };
}
