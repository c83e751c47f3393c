import { expect, test } from 'vitest';
import { messagesOf } from './content.ts';

const png = `data:image/png;base64,${'A'.repeat(40)}==`;

test('a text is one message of the user; messages keep their roles', () => {
  expect(messagesOf('2 + 2?')).toEqual([
    { role: 'user', parts: [{ type: 'text', text: '2 + 2?' }] },
  ]);
  const turns = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: '<script>' },
  ];
  expect(messagesOf(turns).map(({ role, parts }) => [role, parts])).toEqual([
    ['system', [{ type: 'text', text: 'Be brief.' }]],
    ['user', [{ type: 'text', text: '<script>' }]],
  ]);
});

test('images are shown that hold their own bytes and run nothing; others are known to be missing', () => {
  const urls = [
    png,
    'data:image/svg+xml;base64,AAAA',
    'data:text/html;base64,AAAA',
    'https://evil.example/pixel.png',
    'javascript:alert(1)',
    'data:image/png;base64,AA" onerror="x',
    'data:image/png,plain',
    `data:image/png;base64,${'A'.repeat(4_000_001)}`,
  ];
  const content = [
    { type: 'text', text: 'Look:' },
    ...urls.map((url) => ({ type: 'image_url', image_url: { url } })),
    { type: 'image_url', image_url: png },
    { type: 'video', url: 'x' },
    null,
  ];
  const [{ parts }] = messagesOf([{ role: 'user', content }]);
  const shown = parts.map((part) => (part.type === 'image' ? part.url : part.text));
  expect(shown).toEqual(['Look:', png, ...urls.slice(1).map(() => null), png, null, null]);
});
