/**
 * The browser app, made from its sources in memory when a server starts: nothing is built ahead and nothing is written.
 *
 * Knows nothing of what the app does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type BuildResult, build, type Metafile } from 'esbuild';
import { UserError } from '../core/errors.ts';
import { type Assets, assetFolder, assetOf } from './static.ts';

/** Where tags of scripts and styles go in index.html. */
const placeOfTags = '<!--app-->';
const entryName = 'main.tsx';
const listed = 5;

/**
 * Bundles `main.tsx` in `folder` and everything it imports; `index.html` beside it gets the tags.
 * UserError with the first errors where it cannot be bundled.
 */
export async function bundleApp(folder: string): Promise<Assets> {
  const entry = join(folder, entryName);
  if (!existsSync(entry)) {
    throw new UserError({
      wanted: 'the sources of the browser app',
      found: 'none',
      where: folder,
      fix: 'The installation is not whole: install pivottrace again.',
    });
  }
  const outdir = join(folder, '.bundle');
  const { outputFiles, metafile } = await bundled(entry, folder, outdir);
  const pathOf = (file: string) => assetFolder + relative(outdir, file).split(sep).join('/');
  const files = await Promise.all(
    outputFiles.map(async ({ path, contents }) => {
      return [pathOf(path), await assetOf(path, contents)] as const;
    }),
  );
  const html = pageOf(
    folder,
    tags(metafile, (output) => pathOf(join(folder, output))),
  );
  return {
    page: await assetOf('index.html', Buffer.from(html)),
    files: new Map(files),
  };
}

type Bundled = BuildResult<{ write: false; metafile: true }>;

async function bundled(entry: string, folder: string, outdir: string): Promise<Bundled> {
  try {
    return await build({
      entryPoints: [entry],
      absWorkingDir: folder,
      outdir,
      write: false,
      metafile: true,
      bundle: true,
      splitting: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      define: { 'process.env.NODE_ENV': '"production"' },
      entryNames: '[name]-[hash]',
      chunkNames: 'chunk-[hash]',
      assetNames: '[name]-[hash]',
      loader: { '.woff2': 'file', '.woff': 'file', '.ttf': 'file', '.svg': 'file', '.png': 'file' },
      legalComments: 'none',
      logLevel: 'silent',
      tsconfigRaw: {},
    });
  } catch (error) {
    throw new UserError(
      {
        wanted: 'a browser app that can be bundled',
        found: reasonOf(error),
        where: folder,
        fix: 'Correct its sources, or install pivottrace again.',
      },
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errors: unknown = 'errors' in error ? error.errors : [];
  const texts = (Array.isArray(errors) ? errors : []).slice(0, listed).map((one) => {
    const { text, location } = Object(one);
    const place = location ? `${location.file}:${location.line}: ` : '';
    return `${place}${text}`;
  });
  return texts.length === 0 ? error.message : texts.join('; ');
}

/** The entry's script, all that it needs at once, and all styles: those of pages that load later are small. */
function tags({ outputs }: Metafile, pathOf: (output: string) => string): string {
  const names = Object.keys(outputs);
  // Pages that load later are entries too.
  const main = names.find((name) => outputs[name].entryPoint === entryName);
  if (main === undefined) throw new Error('the bundle has no entry');
  const soon = new Set([main]);
  for (const name of soon) {
    for (const { path, kind, external } of outputs[name].imports) {
      if (kind === 'import-statement' && external !== true) soon.add(path);
    }
  }
  soon.delete(main);
  const styles = names.filter((name) => name.endsWith('.css'));
  return [
    ...styles.map((name) => `<link rel="stylesheet" href="${pathOf(name)}">`),
    ...[...soon].map((name) => `<link rel="modulepreload" href="${pathOf(name)}">`),
    `<script type="module" src="${pathOf(main)}"></script>`,
  ].join('\n');
}

const plainPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pivottrace</title>
${placeOfTags}
</head>
<body>
<div id="app"></div>
</body>
</html>
`;

function pageOf(folder: string, tagged: string): string {
  const path = join(folder, 'index.html');
  const template = existsSync(path) ? readFileSync(path, 'utf8') : plainPage;
  const [head, ...rest] = template.split(placeOfTags);
  if (rest.length !== 1) {
    throw new UserError({
      wanted: `${placeOfTags} once, where scripts and styles go`,
      found: `it ${rest.length} times`,
      where: path,
    });
  }
  return `${head}${tagged}${rest[0]}`;
}
