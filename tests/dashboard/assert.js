/** As much of `node:assert/strict` as the unit tests use. */

const shown = (value) => JSON.stringify(value, (_, inner) => (Object.is(inner, -0) ? '-0' : inner === undefined ? 'undefined' : inner));

function same(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return Array.isArray(one) === Array.isArray(other) && keys.length === others.length && keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
}

function expect(right, words) {
  if (!right) throw new Error(words);
}

export default {
  equal: (one, other, words = '') => expect(Object.is(one, other), `${words} ${shown(one)} is not ${shown(other)}`),
  deepEqual: (one, other, words = '') => expect(same(one, other), `${words} ${shown(one)} is not ${shown(other)}`),
};
