/**
 * The tokenizer of the bundled reasoner: whole words, single digits, punctuation, each with the
 * space before it. Written in the fast-tokenizer format of Hugging Face, so that any library reads it.
 */

/** Splits text into tokens; every character belongs to exactly one. */
export const tokenPattern = ' ?[a-z]+| ?[0-9]|\\n| ?[^a-z0-9\\s]|\\s';

const specials = ['<pad>', '<eos>', '<unk>'];
/** Words that open a prompt or a trace: no space before them. */
const openers = 'what from solve start columns begin pairs guess number';
const words = [
  'is two make which x mod total at of',
  'ones tens hundreds thousands ten write carry borrow swap owe',
  'a b c d e f g',
  'try take drop so fits good enough too small big multiples answer',
  'hmm wait check careful no yes right back',
].join(' ');
const digits = '0 1 2 3 4 5 6 7 8 9';
const list = (text: string): string[] => text.split(' ');
const spaced = (text: string): string[] => list(text).map((one) => ` ${one}`);

/** Every token, in the order of ids. */
export const vocabulary: readonly string[] = [
  ...specials,
  '\n',
  ...list(', . : ?'),
  ...spaced('+ - * ='),
  ...list(digits),
  ...spaced(digits),
  ...list(openers),
  ...spaced(words),
];

/** The number of tokens of a text, special tokens not counted. */
export function tokenCount(text: string): number {
  return text.match(new RegExp(tokenPattern, 'g'))?.length ?? 0;
}

const addedToken = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** The contents of tokenizer.json and tokenizer_config.json. */
export function buildTokenizer() {
  const tokenizer_json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map(addedToken),
    normalizer: null,
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: tokenPattern },
      behavior: 'Isolated',
      invert: false,
    },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      unk_token: '<unk>',
    },
  };
  const tokenizer_config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: 192,
    clean_up_tokenization_spaces: false,
    pad_token: '<pad>',
    eos_token: '<eos>',
    unk_token: '<unk>',
    added_tokens_decoder: Object.fromEntries(
      specials.map((content, id) => {
        const { id: _, ...rest } = addedToken(content, id);
        return [String(id), rest];
      }),
    ),
    chat_template: "{% for message in messages %}{{ message['content'] }}{{ '\\n' }}{% endfor %}",
  };
  return { tokenizer_json, tokenizer_config };
}
