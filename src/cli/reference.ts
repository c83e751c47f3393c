/**
 * The reference page of all settings, made from the schema. `npm run docs` writes it; a test checks that it is
 * up to date.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeWhole } from '../core/files.ts';
import { type Field, fields } from './config/fields.ts';
import { inline } from './config/print.ts';
import { packageRoot } from './config.ts';

export const referencePath = join(packageRoot, 'docs/reference/configuration.md');

/** The page as markdown. */
export function configurationReference(): string {
  const groups = fields.filter((field) => field.group);
  const sections = [
    `## Top level\n\n${table([])}`,
    ...groups.map((group) => {
      const keys = table(group.path);
      return `## ${group.path.join('.')}\n\n${group.description}.\n${keys === '' ? '' : `\n${keys}`}`;
    }),
  ];
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Settings

<!-- Written by \`npm run docs\` from src/cli/config/. -->

\`pivottrace VERB [config.yaml] [key.path=value ...]\` reads the YAML file, then the values on the command
line, then these defaults. \`--print-config\` shows what came out. Paths in a file are relative to the file,
paths on the command line to the current directory; \`bundled:\` stands for the folder of the package.
`;

function table(group: readonly string[]): string {
  const keys = fields.filter(
    (field) =>
      !field.group &&
      field.path.length === group.length + 1 &&
      group.every((name, i) => field.path[i] === name),
  );
  if (keys.length === 0) return '';
  return `| key | default | meaning | values |\n|---|---|---|---|\n${keys.map(row).join('')}`;
}

function row(field: Field): string {
  const cells = [
    `\`${field.path.join('.')}\``,
    `\`${inline(field.value)}\``,
    field.description,
    field.wanted,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeWhole(referencePath, configurationReference());
}
