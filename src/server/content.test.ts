import { expect, test } from 'vitest';
import { PIXEL } from '../pool/testing/images.ts';
import type { Content, Message } from '../pool/types.ts';
import { messagesOf } from './content.ts';

const image = (url: string) => ({ type: 'image_url', image_url: { url } }) as const;

test('a text is one message of the user; messages keep their roles', () => {
  expect(messagesOf('2 + 2?')).toEqual([
    { role: 'user', parts: [{ type: 'text', text: '2 + 2?' }] },
  ]);
  const turns: Message<Content>[] = [
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
    PIXEL,
    'data:image/svg+xml;base64,AAAA',
    'data:text/html;base64,AAAA',
    'javascript:alert(1)',
    `${PIXEL.slice(0, -4)}" onerror="x`,
    'data:image/png,plain',
    // Says that it is a PNG, and is an SVG.
    `data:image/png;base64,${Buffer.from('<svg onload="alert(1)"/>').toString('base64')}`,
    `${PIXEL}${'A'.repeat(4_200_000)}`,
  ];
  const content: Content = [{ type: 'text', text: 'Look:' }, ...urls.map(image)];
  const [{ parts }] = messagesOf([{ role: 'user', content }]);
  const shown = parts.map((part) => (part.type === 'image' ? part.url : part.text));
  expect(shown).toEqual(['Look:', PIXEL, ...urls.slice(1).map(() => null)]);
});

test('of an image elsewhere the address alone is passed on', () => {
  const content: Content = [image('https://host.example/pixel.png?a=1')];
  expect(messagesOf([{ role: 'user', content }])[0].parts).toEqual([
    { type: 'image', url: null, address: 'https://host.example/pixel.png?a=1' },
  ]);
});
