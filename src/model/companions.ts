/**
 * What a model has beside its weights: config.json, tokenizer.json and so on, read from its directory or made
 * from the metadata of its GGUF file.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeWhole } from '../core/files.ts';
import { adapterBase } from './adapter-config.ts';
import { ggufCompanions, isGguf } from './gguf.ts';

export interface Companions {
  has(name: string): boolean;
  /** Where a file is (or would be), for errors. */
  where(name: string): string;
  /** The value of a JSON file. UserError where it is missing or no JSON. */
  json(name: string): unknown;
  /** A text file as it is. */
  text(name: string): string;
  /** Writes the file of this name into a folder. */
  copy(name: string, folder: string): void;
}

/** What goes along when a model is saved, where it is. */
const COPIED = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['vocab.json', 'merges.txt', 'tokenizer.model', 'chat_template.jinja', 'chat_template.json'],
  ...['generation_config.json', 'LICENSE'],
];

/** Copies what the tokenizer, chats and generation need from a model directory or GGUF file into a folder. */
export function copyCompanions(from: string, folder: string): void {
  const source = openCompanions(from);
  for (const name of COPIED) if (source.has(name)) source.copy(name, folder);
}

/**
 * `model` is a Hugging Face directory, the directory of an adapter (what it lacks, its base has) or the path of a
 * GGUF file.
 */
export function openCompanions(model: string): Companions {
  if (isGguf(model)) return ofGguf(model);
  const own = ofDirectory(model);
  const base = adapterBase(model);
  return base === undefined ? own : either(own, openCompanions(base));
}

function either(first: Companions, second: Companions): Companions {
  const holder = (name: string): Companions => (first.has(name) ? first : second);
  return {
    has: (name) => holder(name).has(name),
    where: (name) => holder(name).where(name),
    json: (name) => holder(name).json(name),
    text: (name) => holder(name).text(name),
    copy: (name, folder) => holder(name).copy(name, folder),
  };
}

function ofDirectory(directory: string): Companions {
  const where = (name: string): string => join(directory, name);
  return {
    where,
    has: (name) => existsSync(where(name)),
    json: (name) => readJson(where(name)),
    text: (name) => readFileSync(where(name), 'utf8'),
    copy: (name, folder) => copyFileSync(where(name), join(folder, name)),
  };
}

function ofGguf(path: string): Companions {
  const files = ggufCompanions(path);
  const text = (name: string): string => JSON.stringify(files.get(name), null, 1);
  return {
    where: (name) => `${path}, as ${name}`,
    has: (name) => files.has(name),
    json: (name) => files.get(name),
    text,
    copy: (name, folder) => writeWhole(join(folder, name), `${text(name)}\n`),
  };
}
