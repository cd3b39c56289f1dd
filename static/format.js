/** Numbers and times as people read them. Pure functions; what is unknown is a dash. */

export const UNKNOWN = '–';

const known = (value) => typeof value === 'number' && Number.isFinite(value);

/** 0.5 → `50 %`; with one decimal where a slow job would seem to stand still. */
export function percent(value, decimals = 0) {
  return known(value) ? `${value.toFixed(decimals)} %` : UNKNOWN;
}

/** A share from 0 to 1 as per cent. */
export function share(value) {
  return known(value) ? percent(value * 100) : UNKNOWN;
}

/** Remaining or elapsed time like a clock: `0:09`, `3:10`, `1:02:05`. */
export function clock(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A span in its two largest units: `4 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function span(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return pair(whole, 3600, 'h', 60, 'min');
  return pair(whole, 86400, 'd', 3600, 'h');
}

function pair(whole, large, largeName, small, smallName) {
  const rest = Math.floor((whole % large) / small);
  const head = `${Math.floor(whole / large)} ${largeName}`;
  return rest > 0 ? `${head} ${rest} ${smallName}` : head;
}

/** Bytes with the unit that leaves one to three figures. */
export function bytes(value) {
  if (!known(value)) return UNKNOWN;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let [size, unit] = [value, 0];
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** A whole number with thin spaces between thousands. */
export function count(value) {
  return known(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f') : UNKNOWN;
}

/** A coordinate in millimetres, always with two decimals so that figures keep their place. */
export function coordinate(value) {
  return known(value) ? value.toFixed(2).replace('-', '\u2212') : UNKNOWN;
}

/** The time of day, local, `19:31:02`. */
export function timeOfDay(stamp) {
  const date = new Date(stamp);
  return Number.isNaN(date.getTime()) ? UNKNOWN : date.toLocaleTimeString('en-GB');
}

/** The time of day, with the date in front if that is not today. */
export function moment(stamp, now = new Date()) {
  const date = new Date(stamp ?? NaN);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const time = timeOfDay(stamp);
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`;
}

/** One word for one, the other for any other number: `plural(2, 'job')` → `2 jobs`. */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Words that are too long for a place, with an ellipsis where they were cut. */
export function cut(words, most) {
  const letters = [...words];
  return letters.length <= most ? words : `${letters.slice(0, most - 1).join('').trimEnd()}…`;
}

/** A name that is too long, cut in its middle: its end tells files of one kind apart. */
export function cutName(name, most) {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.floor(most / 3);
  return `${letters.slice(0, most - end - 1).join('')}…${letters.slice(-end).join('')}`;
}
