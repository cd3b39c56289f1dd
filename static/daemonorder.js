/** In which order daemons stand, and who needs whom. Pure functions. */

import { categoryOf } from './daemonchoice.js';

/** What a daemon needs, in full; a station that tells only names leaves the rest unknown. */
export function needsOf(daemon) {
  if (daemon.dependencies?.length > 0) return daemon.dependencies;
  return (daemon.depends_on ?? []).map((name) => ({ name, condition: null, required: true, met: null }));
}

/** By name. */
export const byName = (daemons) => [...daemons].sort((one, other) => one.name.localeCompare(other.name));

/** By name, in groups: `[{category, daemons}]`. */
export function inGroups(daemons) {
  const groups = new Map();
  for (const daemon of byName(daemons)) {
    const category = categoryOf(daemon);
    if (!groups.has(category)) groups.set(category, []);
    groups.get(category).push(daemon);
  }
  return [...groups].map(([category, members]) => ({ category, daemons: members })).sort((one, other) => one.category.localeCompare(other.category));
}

/**
 * Everything stands below all that it needs, and right below the last of that: `[{daemon, depth}]`,
 * where `depth` counts those above that lead to it.
 */
export function byNeed(daemons) {
  const known = new Map(byName(daemons).map((daemon) => [daemon.name, daemon]));
  const needs = new Map([...known].map(([name, daemon]) => [name, needsOf(daemon).map((need) => need.name).filter((need) => need !== name && known.has(need))]));
  const below = new Map([...known.keys()].map((name) => [name, []]));
  for (const [name, above] of needs) for (const need of new Set(above)) below.get(need).push(name);
  const order = new Map();
  const place = (name, depth) => {
    order.set(name, { daemon: known.get(name), depth });
    for (const next of below.get(name)) if (!order.has(next) && needs.get(next).every((need) => order.has(need))) place(next, depth + 1);
  };
  for (const [name, above] of needs) if (above.length === 0) place(name, 0);
  // Only what needs itself is left, which the station refuses; it is shown all the same.
  for (const name of known.keys()) if (!order.has(name)) place(name, 0);
  return [...order.values()];
}

/** Those of an order that are to be shown; what is left out indents nobody. */
export function shownOf(order, isShown) {
  const above = [];
  const shown = [];
  for (const { daemon, depth } of order) {
    while (above.length > 0 && above.at(-1).depth >= depth) above.pop();
    const visible = isShown(daemon);
    if (visible) shown.push({ daemon, depth: above.filter((it) => it.visible).length });
    above.push({ depth, visible });
  }
  return shown;
}

/** The names of those that need a daemon and are up: what its stop takes down with it. */
export function needing(daemons, name) {
  const up = (daemon) => daemon.state === 'RUNNING' || daemon.state === 'STARTING';
  return byName(daemons).filter((daemon) => up(daemon) && needsOf(daemon).some((need) => need.name === name && need.required !== false)).map((daemon) => daemon.name);
}
