/** @jsxImportSource preact */
/**
 * An HTML page that stands alone: no script, no network, nothing loaded. The page's own content security policy
 * forbids it, and everything foreign is escaped by the renderer.
 */
import type { ComponentChildren } from 'preact';
import { visible } from './format.ts';
import { STYLE } from './theme.ts';

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** `children`: header, main and footer. */
export function Document({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>{visible(title)}</title>
        <link rel="icon" href="data:," />
        <style>{STYLE}</style>
      </head>
      <body>{children}</body>
    </html>
  );
}
