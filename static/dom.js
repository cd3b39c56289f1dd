/**
 * Elements without a framework. Whatever comes from files, machines and programs is set as text,
 * never parsed: there is no way to hand markup to these functions.
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element: `h('button', {class: 'quiet', on: {click}}, 'Keep')`.
 * `data` fills `dataset`, `on` adds listeners, true and false set or leave out an attribute.
 */
export function h(tag, props = {}, ...children) {
  return dress(document.createElement(tag), props, children);
}

/** The same for the elements of a drawing. */
export function svg(tag, props = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), props, children);
}

function dress(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'data') {
      Object.assign(element.dataset, value);
    } else {
      attribute(element, name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets an attribute only if it differs, so that an unchanged view costs no layout. */
export function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const wanted = value === true ? '' : String(value);
  if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
}

/** Sets the text of an element only if it differs: a live region must not repeat itself. */
export function text(element, value) {
  const wanted = value === null || value === undefined ? '' : String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Shows or hides an element. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/**
 * A list that keeps its elements: each item has a part `{element, update(item), dispose?()}`, made
 * once and updated afterwards, so that focus, open questions and canvases survive a redraw. The list
 * begins behind `after`, if there is one.
 */
export function keyed(parent, after = null) {
  const parts = new Map();
  return function render(items, keyOf, make) {
    const wanted = new Set(items.map(keyOf));
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue;
      part.element.remove();
      part.dispose?.();
      parts.delete(key);
    }
    let cursor = after ? after.nextSibling : parent.firstChild;
    for (const item of items) {
      const key = keyOf(item);
      if (!parts.has(key)) parts.set(key, make(item));
      const part = parts.get(key);
      if (part.element === cursor) cursor = cursor.nextSibling;
      else place(parent, part.element, cursor);
      part.update(item);
    }
  };
}

/** Puts an element before another; what has the focus in it keeps it. */
function place(parent, element, before) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(element, before);
  focused?.focus({ preventScroll: true });
}

/** A name for an element that a label or a description points to. */
let names = 0;
export function uniqueId(prefix) {
  names += 1;
  return `${prefix}-${names}`;
}
