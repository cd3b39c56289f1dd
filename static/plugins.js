/** Plugins: what each adds to the station, and what is wrong with those that could not be loaded. */

import { daemonAddress } from './daemonchoice.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { plural } from './format.js';
import { panel, stateChip } from './parts.js';
import { lookUp, PLUGIN } from './states.js';

/** The panel; it is not there while there is no plugin. */
export function pluginPanel() {
  const list = h('ul', { class: 'plugins' });
  const render = keyed(list);
  const part = panel('Plugins', { id: 'plugin-panel' }, list);
  return {
    element: part.element,
    update({ plugins, troubles }) {
      const broken = plugins.filter((plugin) => plugin.status === 'broken').length;
      const unread = troubles.has('plugins') ? `could not be read: ${troubles.get('plugins')}` : '';
      part.note(unread || [plural(plugins.length, 'plugin'), broken > 0 ? `${broken} broken` : ''].filter(Boolean).join(', '));
      show(part.element, plugins.length > 0);
      render(plugins, (plugin) => plugin.name, pluginLine);
    },
  };
}

function pluginLine({ name }) {
  const chip = stateChip();
  const version = h('span', { class: 'note' });
  const description = h('p', { class: 'note' });
  const error = h('p', { class: 'refusal-words' });
  const daemons = h('p', { class: 'plugin-daemons' });
  const more = h('p', { class: 'note' });
  const element = h('li', { data: { plugin: name } }, h('p', { class: 'plugin-name' }, chip.element, h('strong', {}, name), version), description, error, daemons, more);
  let named = '';
  return {
    element,
    update(plugin) {
      const state = lookUp(PLUGIN, plugin.status);
      chip.update(state, plugin.status);
      attribute(element, 'data-meaning', state.meaning);
      text(version, plugin.version ?? '');
      text(description, plugin.description ?? '');
      text(error, plugin.error ?? '');
      const names = plugin.daemons ?? [];
      if (named !== names.join('\n')) {
        named = names.join('\n');
        daemons.replaceChildren(h('span', { class: 'note' }, 'Daemons '), ...names.flatMap((it, index) => [index > 0 ? ', ' : '', h('a', { href: daemonAddress(it), class: 'more' }, it)]));
      }
      const hooks = plugin.hooks > 0 ? plural(plugin.hooks, 'hook') : '';
      const commands = (plugin.commands ?? []).map((command) => command.name).join(', ');
      text(more, [hooks, commands ? `commands ${commands}` : '', plugin.path].filter(Boolean).join(' · '));
      for (const [place, filled] of [[description, plugin.description], [error, plugin.error], [daemons, names.length > 0], [more, more.textContent]]) show(place, Boolean(filled));
    },
  };
}
