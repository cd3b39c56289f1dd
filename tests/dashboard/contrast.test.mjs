// Contrast of every ink on every ground, computed from the tokens, in all four themes (WCAG 2.2, 1.4.3 and 1.4.11).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const css = readFileSync(new URL('../../static/tokens.css', import.meta.url), 'utf8');

function block(selector) {
  const start = css.indexOf(`${selector} {`);
  assert.notEqual(start, -1, `no block ${selector}`);
  const body = css.slice(start, css.indexOf('}', start));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b/gi)].map(([, name, colour]) => [name, colour]));
}

const light = block(':root');
const dark = block(':root[data-theme="dark"]');
const more = block(':root[data-contrast="more"]');
const darkMore = block(':root[data-theme="dark"][data-contrast="more"]');
const themes = { light, dark: { ...light, ...dark }, 'light, more contrast': { ...light, ...more }, 'dark, more contrast': { ...light, ...dark, ...more, ...darkMore } };

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const meanings = ['neutral', 'active', 'good', 'attention', 'bad'];
const pairs = [
  ...['ink', 'ink-soft', 'ink-faint', ...meanings].flatMap((ink) => ['ground', 'panel', 'raised', 'neutral-tint', 'path-paper'].map((ground) => [ink, ground, 4.5])),
  ...meanings.flatMap((meaning) => [[meaning, `${meaning}-tint`, 4.5], ['ink', `${meaning}-tint`, 4.5], ['ink-soft', `${meaning}-tint`, 4.5], ['ink-faint', `${meaning}-tint`, 4.5]]),
  ['stop-ink', 'stop', 4.5],
  ['on-active', 'active', 4.5],
  ['panel', 'ink-faint', 4.5],
  ['edge', 'panel', 3],
  ['edge', 'ground', 3],
  ['stop', 'panel', 3],
];

for (const [name, tokens] of Object.entries(themes)) {
  test(`text can be read in the theme ${name}`, () => {
    const weak = pairs.map(([ink, ground, least]) => ({ ink, ground, least, ratio: contrast(tokens[ink], tokens[ground]) })).filter(({ ratio, least }) => ratio < least);
    assert.deepEqual(weak.map(({ ink, ground, least, ratio }) => `${ink} on ${ground}: ${ratio.toFixed(2)}, not ${least}`), []);
  });
}
