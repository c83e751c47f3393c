// The words that announce an answer ("the final answer is", "**Answer:**", a heading "Final Answer"), and which of them
// are only talk about one ("if the answer is", "your answer is"). Every pattern has bounded repetitions, so that each
// starting point costs a constant.
import { type Span, within } from './span.ts';

export interface Lead extends Span {
  /**
   * `sign`: a colon, an equals sign or a heading, behind which an answer must follow. `verb`: "is", behind which prose may
   * follow ("the answer is plausible"). `key`: a key of JSON.
   */
  kind: 'sign' | 'verb' | 'key';
  /** Said with weight: "final", "correct". */
  final: boolean;
  /** Inside \text{} of a formula. */
  inFormula: boolean;
}

const markup = String.raw`(?:\*{1,3}|_{1,2}|["'\u2019\x60}\]]){0,3}`;
const about = String.raw`(?:[ \t](?:\([^()\n]{0,40}\)|(?:to|for|of|in|here|therefore|thus|then|hence|that)(?!\p{L})[^.:\n$=]{0,60}?)|,[^.,:\n$=]{0,40},)?`;
const verb = String.raw`(?:(?:is|are|equals|was|becomes|(?:sh|w|c)ould be|must be|will be|has to be|can only be|(?:comes out|turns out|works out) to(?: be)?)(?!\p{L})|=(?!=))`;
const sign = String.raw`(?::|\uff1a|=(?!=)|\u2192|-{1,2}>|=>)`;

/** What may be announced by a sign or a verb. */
const answers = String.raw`(?:answers?|answer\(s\)|ans\.?|(?:correct|right|best) (?:option|choice|statement|letter)s?|final (?:result|value|expression))`;
/** What is announced by a verb only: "Solution:" heads the work, not its end. */
const results = '(?:solutions?(?: set)?)';

const english = new RegExp(
  String.raw`(?<![\p{L}\p{N}_])(?:${answers}${about}${markup}[ \t]{0,3}(?:(${sign})|\s{1,3}${verb})|${results}${about}[ \t]{1,3}${verb})`,
  'giu',
);

const key = /["'](?:final_?|correct_?)?answer["']\s{0,3}:/giu;

const heading =
  /^[ \t>]{0,8}(?:#{1,6}[ \t]{0,4}|[*_]{1,3})(?:\d{1,2}[.)] ?|step \d{1,2}: ?)?[*_]{0,3}(?:the |my )?(?:final |correct )?(?:answer|result)s?[ \t]{0,2}[*_:]{0,4}[ \t\r]{0,8}$|^[ \t]{0,8}(?:the )?final answer[ \t\r]{0,8}$/gimu;

const elsewhere =
  /(?:(?:\u6700\u7ec8|\u6700\u5f8c|\u6700\u540e|\u6b63\u786e|\u6b63\u78ba)?(?:\u7684)?(?:\u7b54\u6848|\u7ed3\u679c|\u9009\u9879|\u9078\u9805)(?:\u5e94\u8be5|\u5e94|\u61c9)?(?:\u662f|\u4e3a|\u70ba|\uff1a|:|=)|(?:\u6545|\u5e94|\u61c9|\u5e94\u8be5|\u56e0\u6b64|\u6240\u4ee5)(?:\u9009\u62e9|\u9009(?!\u9879)|\u9078(?!\u9805))|\u6545\u586b|\u7b54[\uff1a:]|\u7b54\u3048\u306f|\u7b54\u3048[\uff1a:]|\uc815\ub2f5\uc740|\uc815\ub2f5[\uff1a:]|(?:r\u00e9ponse|respuesta|resposta|risposta)(?: finale?)?(?: est| es| \u00e9| \u00e8| ?:)|Antwort(?: ist| lautet|:)|\u043e\u0442\u0432\u0435\u0442(?: ?:| \u2014))/giu;

/** Leads that are kept, from the end of the response. */
const maxLeads = 64;

/** The leads between the offsets of `span`, in order: at most 64, the last. */
export function leadsIn(text: string, span: Span): Lead[] {
  const part = text.slice(span.start, span.end);
  const leads: Lead[] = [];
  const collect = (pattern: RegExp, kind: (found: RegExpExecArray) => Lead['kind']) => {
    let found: Lead[] = [];
    for (const match of part.matchAll(pattern)) {
      found.push(leadAt(part, match, span.start, kind(match)));
      if (found.length >= 4 * maxLeads) found = found.slice(-maxLeads);
    }
    leads.push(...found.slice(-maxLeads));
  };
  collect(english, (match) => (match[1] === undefined ? 'verb' : 'sign'));
  collect(key, () => 'key');
  collect(heading, () => 'sign');
  collect(elsewhere, () => 'sign');
  const keys = leads.filter((lead) => lead.kind === 'key');
  return leads
    .filter((lead) => lead.kind === 'key' || !keys.some((each) => within(lead, each)))
    .sort((one, other) => one.start - other.start)
    .slice(-maxLeads);
}

function leadAt(part: string, match: RegExpExecArray, offset: number, kind: Lead['kind']): Lead {
  const before = part.slice(Math.max(0, match.index - 60), match.index);
  return {
    start: offset + match.index,
    end: offset + match.index + match[0].length,
    kind,
    final:
      /(?:final|correct|best|right)\s{1,3}$/iu.test(before) ||
      /^(?:final|correct|right)/iu.test(match[0]),
    inFormula: /\\(?:text|textbf|mathrm|mbox|mathbf|boldsymbol)\s?\{[^{}]{0,40}$/u.test(before),
  };
}

const talk =
  /(?<!\p{L})(?:(?:if|whether|suppose|assume|assuming|unless|when|once|say|imagine|verify|check|confirm|confirms|ensure|make sure|doubt|mean|means|see|sure|question|claim)(?: that)?(?: (?:the|our|my|final|correct|this))*|(?:this|that|your|their|his|her|its|whose|any|each|every|no|an|which|what|previous|initial|wrong|incorrect|first|intermediate|expected|given|student's|provided|possible|alternative|other)(?: (?:final|correct|possible))?)\s{1,3}$/iu;

/** Whether the words before a lead make it talk about an answer instead of giving one. */
export function isTalk(text: string, lead: Lead, from: number): boolean {
  if (lead.kind === 'key') return false;
  return talk.test(text.slice(Math.max(from, lead.start - 48), lead.start));
}

/** "maybe the answer is": believed where nothing better is said. */
export function isGuess(text: string, lead: Lead, from: number): boolean {
  const before = text.slice(Math.max(from, lead.start - 32), lead.start);
  return /(?<!\p{L})(?:maybe|perhaps|guess|possibly|might|could be)[^.\n]{0,16}$/iu.test(before);
}
