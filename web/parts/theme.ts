/**
 * Colours and what the app shares with the report: tables, charts and traces, from the report's own style sheet, as
 * constructed sheets (which a strict content security policy allows). Light or dark by the system, or as chosen here;
 * the choice stays in the browser.
 */
import { effect, signal } from '@preact/signals';
import { CHARTS, DARK, LIGHT, PIECES, TABLES, TONES, TRACES } from '../../src/report/theme.ts';

const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const KEY = 'pivottrace.theme';

export const theme = signal<Theme>(stored());

/** Installs the sheets and keeps them as chosen. To be called once. */
export function installTheme(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    [
      `:root {${LIGHT}\n}`,
      `@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {${DARK}\n} }`,
      `:root[data-theme=dark] {${DARK}\n}`,
      TONES,
      PIECES,
      TABLES,
      CHARTS,
      TRACES,
    ].join('\n'),
  );
  document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets];
  effect(() => {
    const chosen = theme.value;
    if (chosen === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    keep(chosen);
  });
}

/** The next choice in turn. */
export function turnTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
}

function stored(): Theme {
  try {
    return themes.find((one) => one === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}

function keep(chosen: Theme): void {
  try {
    if (chosen === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    // A browser that keeps nothing still shows what was chosen.
  }
}
