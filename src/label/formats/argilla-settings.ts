/** The dataset that exported records fit, as Argilla's `Settings.from_json` reads it. */

function property(name: string, title: string, settings: object) {
  return { name, title, settings, visible_for_annotators: true };
}

const terms = { type: 'terms', values: null };

/** A utility can show through where an annotator may see it; it says nothing of the answer. */
export const argillaSettings = {
  guidelines: 'Give the final answer alone. Discard a question that has none.',
  fields: [
    {
      ...{ name: 'question', title: 'Question', required: true, type: 'text' },
      // Prompts are foreign text: shown as they are.
      settings: { type: 'text', use_markdown: false },
    },
  ],
  questions: [
    {
      ...{ name: 'answer', title: 'Answer', description: null, required: true, type: 'text' },
      settings: { type: 'text', use_markdown: false },
    },
  ],
  vectors: [],
  metadata: [
    property('source', 'Source', terms),
    property('reason', 'Why it is asked', terms),
    property('utility', 'Utility', { type: 'float', min: null, max: null }),
    property('run', 'Run', terms),
    property('step', 'Step', { type: 'integer', min: null, max: null }),
  ],
  allow_extra_metadata: true,
  distribution: { strategy: 'overlap', min_submitted: 1 },
  mapping: null,
};
