/**
 * What the view of daemons shows: filters, order and what is opened. The address keeps it, so that
 * a reload, a bookmark and a link show the same. Pure functions.
 */

import { DAEMON } from './states.js';

const LISTS = ['category', 'state', 'why', 'log'];

/** `#/daemons?category=a&category=b&state=FAILED&order=need&find=x&why=NAME&log=NAME` as an object. */
export function readChoice(hash) {
  const at = hash.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : hash.slice(at + 1));
  const list = (name) => new Set(query.getAll(name).filter((value) => value !== ''));
  return { ...Object.fromEntries(LISTS.map((name) => [name, list(name)])), order: query.get('order') === 'need' ? 'need' : 'name', find: query.get('find') ?? '' };
}

/** The address of a choice; what is as usual is left out. */
export function writeChoice(choice) {
  const query = new URLSearchParams();
  for (const name of LISTS) for (const value of choice[name]) query.append(name, value);
  if (choice.order !== 'name') query.set('order', choice.order);
  if (choice.find !== '') query.set('find', choice.find);
  const words = query.toString();
  return words === '' ? '#/daemons' : `#/daemons?${words}`;
}

/** The address that opens the cause of one daemon's state. */
export const daemonAddress = (name) => writeChoice({ ...readChoice(''), why: [name] });

/** The group that a daemon is shown in. */
export const categoryOf = (daemon) => daemon.category || 'other';

/** What each filter compares. */
const FACETS = { category: categoryOf, state: (daemon) => daemon.state };

/** True if a daemon is to be shown; one filter may be left out. */
export function matches(daemon, choice, except = null) {
  for (const [name, valueOf] of Object.entries(FACETS)) {
    if (name !== except && choice[name].size > 0 && !choice[name].has(valueOf(daemon))) return false;
  }
  const wanted = choice.find.trim().toLowerCase();
  return wanted === '' || [daemon.name, daemon.title, daemon.description].some((words) => words?.toLowerCase().includes(wanted));
}

/** True if anything is left out. */
export const isFiltered = (choice) => choice.category.size > 0 || choice.state.size > 0 || choice.find.trim() !== '';

/**
 * The values of a filter with how many daemons each would show beside the other filters. A value
 * that is chosen stays, even if it shows none now: it must be possible to take it back.
 */
export function facet(daemons, choice, name) {
  const valueOf = FACETS[name];
  const numbers = new Map([...daemons.map(valueOf), ...choice[name]].map((value) => [value, 0]));
  for (const daemon of daemons) if (matches(daemon, choice, name)) numbers.set(valueOf(daemon), numbers.get(valueOf(daemon)) + 1);
  return [...numbers].map(([value, number]) => ({ value, number })).sort((one, other) => rank(name, one) - rank(name, other) || one.value.localeCompare(other.value));
}

/** States in the order of a life, categories by their names. */
const rank = (name, { value }) => (name === 'state' ? Object.keys(DAEMON).indexOf(value) : 0);
