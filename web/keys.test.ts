import { describe, expect, it } from 'vitest';
import { keyOf } from './keys.ts';

const press = (key: string, more: Partial<Parameters<typeof keyOf>[0]> = {}) =>
  keyOf({
    ...{ key, code: '', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false },
    ...{ isComposing: false, repeat: false },
    ...more,
  });

describe('keyOf', () => {
  it('takes a letter by itself, in either case, outside of fields only', () => {
    expect(press('s')).toEqual({ key: 's', anywhere: false });
    expect(press('S', { shiftKey: true })).toEqual({ key: 's', anywhere: false });
    expect(press('?', { shiftKey: true })).toEqual({ key: '?', anywhere: false });
  });

  it('takes a letter with Alt from anywhere, by its place where Alt types another character', () => {
    expect(press('s', { altKey: true, code: 'KeyS' })).toEqual({ key: 's', anywhere: true });
    expect(press('ß', { altKey: true, code: 'KeyS' })).toEqual({ key: 's', anywhere: true });
    expect(press('¿', { altKey: true, code: 'Slash' })).toEqual({ key: '?', anywhere: true });
    expect(press('¡', { altKey: true, code: 'Digit1' })).toEqual({ key: '1', anywhere: true });
  });

  it('takes Enter, with Ctrl from anywhere, and not with Shift', () => {
    expect(press('Enter')).toEqual({ key: 'enter', anywhere: false });
    expect(press('Enter', { ctrlKey: true })).toEqual({ key: 'enter', anywhere: true });
    expect(press('Enter', { shiftKey: true })).toBeNull();
  });

  it('leaves what the browser, an input method or a held key does', () => {
    expect(press('s', { ctrlKey: true })).toBeNull();
    expect(press('@', { ctrlKey: true, altKey: true, code: 'KeyQ' })).toBeNull();
    expect(press('s', { metaKey: true })).toBeNull();
    expect(press('Enter', { isComposing: true })).toBeNull();
    expect(press('s', { repeat: true })).toBeNull();
    expect(press('Tab')).toBeNull();
  });
});
