/**
 * Prompts as the model expects them: a text as it is, messages through the chat template of the model
 * directory. Knows nothing of pools.
 */
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type Companions, openCompanions } from './companions.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface ChatMessage {
  role: string;
  content: string;
}

export interface ChatTemplate {
  /** Whether the directory has a template. */
  readonly present: boolean;
  /**
   * The text of a prompt with the assistant's turn opened, and whether the tokenizer is to add its
   * special tokens (a template writes its own). Throws UserError: no template, or it refuses.
   */
  render(prompt: string | readonly ChatMessage[]): { text: string; addSpecialTokens: boolean };
}

/**
 * Some templates print today's date; the same prompt has to give the same tokens on any day. This is
 * the date that Llama's own template falls back to.
 */
const FIXED_DATE: Record<string, string> = {
  ...{ '%Y': '2024', '%m': '07', '%d': '26', '%b': 'Jul', '%B': 'July' },
  ...{ '%H': '00', '%M': '00', '%%': '%' },
};

const named = z.union([z.string(), z.object({ content: z.string() }).transform((t) => t.content)]);
const settingsSchema = z.looseObject({
  bos_token: named.nullish(),
  eos_token: named.nullish(),
  unk_token: named.nullish(),
  pad_token: named.nullish(),
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});

/**
 * Reads the chat template of a model directory or GGUF file: chat_template.jinja, else chat_template.json, else the
 * one in tokenizer_config.json; of an adapter that has none, its base's. `variables` are further template variables
 * (`enable_thinking`, ...).
 * Throws UserError when a template is there and broken.
 */
export function loadChatTemplate(
  directory: string,
  variables: Readonly<Record<string, unknown>> = {},
): ChatTemplate {
  const files = openCompanions(directory);
  const settings = readSettings(files);
  const source = findSource(files, settings);
  const template = source && compile(source.text, source.where);
  const context = {
    bos_token: settings.bos_token ?? '',
    eos_token: settings.eos_token ?? '',
    unk_token: settings.unk_token ?? '',
    pad_token: settings.pad_token ?? '',
    fixed_date: (format: string) => format.replace(/%[YmdbBHM%]/g, (key) => FIXED_DATE[key] ?? key),
    ...variables,
    add_generation_prompt: true,
  };
  return {
    present: template !== undefined,
    render: (prompt) => {
      if (typeof prompt === 'string') return { text: prompt, addSpecialTokens: true };
      if (template === undefined || source === undefined) {
        throw new UserError({
          wanted: 'a chat template for a prompt of messages',
          found: 'none',
          where: directory,
          fix: 'Use a model with chat_template.jinja, or give prompts as plain text.',
        });
      }
      try {
        const messages = prompt.map(({ role, content }) => ({ role, content }));
        return { text: template.render({ ...context, messages }), addSpecialTokens: false };
      } catch (error) {
        const roles = prompt.map(({ role }) => role).join(', ');
        const found = `${error instanceof Error ? error.message : String(error)} (roles: ${roles})`;
        const wanted = 'messages that the chat template takes';
        throw new UserError({ wanted, found, where: source.where }, { cause: error });
      }
    },
  };
}

/** Token ids of a prompt. */
export function encodePrompt(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  prompt: string | readonly ChatMessage[],
): number[] {
  const { text, addSpecialTokens } = template.render(prompt);
  return tokenizer.encode(text, { addSpecialTokens });
}

type Settings = z.output<typeof settingsSchema>;

const SETTINGS = 'tokenizer_config.json';

function readSettings(files: Companions): Settings {
  if (!files.has(SETTINGS)) return {};
  const parsed = settingsSchema.safeParse(files.json(SETTINGS));
  if (parsed.success) return parsed.data;
  const found = z.prettifyError(parsed.error);
  const where = files.where(SETTINGS);
  throw new UserError({ wanted: 'special tokens and a chat template', found, where });
}

function findSource(
  files: Companions,
  settings: Settings,
): { text: string; where: string } | undefined {
  const jinja = 'chat_template.jinja';
  if (files.has(jinja)) return { text: files.text(jinja), where: files.where(jinja) };
  const json = 'chat_template.json';
  if (files.has(json)) {
    const where = files.where(json);
    const parsed = z.object({ chat_template: z.string() }).safeParse(files.json(json));
    if (parsed.success) return { text: parsed.data.chat_template, where };
    const found = z.prettifyError(parsed.error);
    throw new UserError({ wanted: 'a chat_template', found, where });
  }
  const { chat_template: given } = settings;
  const where = `${files.where(SETTINGS)}, chat_template`;
  if (given === null || given === undefined) return undefined;
  if (typeof given === 'string') return { text: given, where };
  const chosen = given.find(({ name }) => name === 'default');
  if (chosen !== undefined) return { text: chosen.template, where };
  const found = given.map(({ name }) => name).join(', ') || 'an empty list';
  throw new UserError({ wanted: 'a template named default', found, where });
}

function compile(text: string, where: string): Template {
  try {
    const template = new Template(text);
    template.parsed.body.unshift(
      ...new Template('{% set strftime_now = fixed_date %}').parsed.body,
    );
    return template;
  } catch (error) {
    const wanted = 'a Jinja template';
    throw new UserError({ wanted, found: String(error), where }, { cause: error });
  }
}
