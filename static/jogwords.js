/** What a move by hand asks of the station, and why it may not be made. Pure functions. */

/** Step sizes in millimetres. */
export const STEPS = [0.1, 1, 10, 100];
/** Which way a key moves. */
export const KEYS = { ArrowLeft: 'x-', ArrowRight: 'x+', ArrowUp: 'y+', ArrowDown: 'y-', PageUp: 'z+', PageDown: 'z-' };

/** The body of the request for one step along `way`, or null if the feed is none. */
export function moveOf(way, step, feed) {
  const pace = Number(feed);
  if (!Number.isFinite(pace) || pace < 1 || pace > 20000) return null;
  const [axis, sign] = way;
  return { [axis]: sign === '-' ? -step : step, feed: pace };
}

/** Why a machine cannot be moved by hand now, or nothing. While it moves by hand it is busy without a job. */
export function blockedBy(device) {
  if (device.estop) return 'An emergency stop holds it. Clear the stop first.';
  if (device.current_job_id) return 'A job is on it: it cannot be moved by hand.';
  if (device.status === 'alarm') return 'It is in alarm. Home or unlock it first.';
  if (device.status === 'idle' || device.status === 'busy') return '';
  return device.status === 'disconnected' || device.status === 'connecting' ? 'There is no link to it.' : 'It cannot be moved in this state.';
}
