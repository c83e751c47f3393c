// What is said of a value without giving it: "not 8", "at least 8", "is it 8?", "let x = 8", "it cannot be determined". Reads
// one clause with its formulas covered. Every pattern has bounded repetitions.

/** Stands right before a value that is denied, bounded or only compared with. */
const deniedBefore = new RegExp(
  String.raw`(?:(?<!\p{L})(?:(?:not|never|cannot|nor|neither)(?: (?:be|equal|exactly|at|possibly|exceed|to|always|necessarily|have)){0,2}` +
    String.raw`|\p{L}{2,6}n['\u2019]t(?: (?:be|equal|exactly|at|possibly|exceed|have)){0,2}|can['\u2019]t(?: (?:be|equal|exceed|have))?` +
    `|(?:more|less|fewer|greater|larger|smaller|higher|lower|bigger|other|rather) than(?: or equal to)?|at (?:least|most)|up to` +
    String.raw`|exceed(?:s|ed|ing)?|exclud(?:es|ed|ing)|instead of|as opposed to|except(?: for)?|short of|such as|e\.g\.,?|for example,?|for instance,?` +
    `|divisible by|multiples? of|half(?: of)?|twice|double|negative|almost|nearly|on page|depends on|ruled out)(?: (?:the|an?|at|about|exactly))?` +
    String.raw`|(?:\u4e0d|\u6ca1|\u975e)(?:\u4f1a|\u53ef\u80fd|\u80fd)?(?:\u662f|\u4e3a|\u7b49\u4e8e|\u6709)?|\u5927\u4e8e|\u5c0f\u4e8e|\u81f3\u5c11|\u81f3\u591a|\u6700\u591a\u4e0d|\u8d85\u8fc7|\u591a\u4e8e|\u5c11\u4e8e)[\s:*_("]{0,4}(?:[A-Za-z]\s?=\s?)?$`,
  'iu',
);

/** Stands right behind a value that is denied. */
const deniedBehind =
  /^[\s*_)\].:$]{0,4}(?:incorrect(?:[.,]|$)|false(?:[.,]|$)|(?:does|do|did|is|are|was|has|can|could|would) not|(?:does|do|did|is|are|was|ca|could|wo|would)n['\u2019]t|cannot|fails?|squared|(?:is|was|are) (?:wrong|incorrect|false|eliminated|extraneous|invalid|rejected|ruled out|too (?:small|large|big|low|high)|requested)|\u4e0d(?:\u5bf9|\u6b63\u786e|\u662f|\u6210\u7acb))(?!\p{L})/iu;

/** "Half the area is 36" says what the area is not. */
const partOf = /^(?:so |thus |hence |therefore,? )?(?:half|twice|double) (?:of )?the(?!\p{L})/iu;

/** Whether a clause denies or only bounds the value between `before` and `behind`. */
export function isDenied(before: string, behind: string): boolean {
  return (
    deniedBefore.test(before.slice(-60)) ||
    deniedBehind.test(behind.slice(0, 40)) ||
    partOf.test(before.slice(0, 40))
  );
}

const notKnown =
  /(?<!\p{L})(?:(?:can(?:not|['\u2019]t| not)|could(?: not|n['\u2019]t)|unable to|refuse to|(?:im|not |n['\u2019]t )possible to|not able to|does not|doesn['\u2019]t) (?:\p{L}{2,12} )?(?:help|answer|answered|determine|determined|verify|say|provide|tell)|(?:missing|insufficient|not enough) information)(?!\p{L})/iu;

const supposed =
  /^(?:now,? |then,? |so,? |and ){0,2}(?:(?:let(?!['\u2019]s| us| me)|suppose|assume|imagine)(?!.{0,300}(?<!\p{L})(?:so|thus|hence|therefore|then|gives?|get)(?!\p{L}))|explain|prove that|show that|one (?:might|may|could)|at first (?:glance|sight)|for example|for instance|question|q:)(?!\p{L})|(?<!\p{L}|regardless of )whether(?!\p{L})|(?<!\p{L})(?:would|['\u2019]d) be (?:[^,;]{1,60} )?if(?!\p{L})|(?<!\p{L})but (?:that|this|it)(?:['\u2019]s| is) (?:wrong|not)(?!\p{L})|(?<!\p{L})(?:cases to consider|(?:is|are) (?:extraneous|invalid|ruled out))(?!\p{L})|not (?:provide )?enough information/iu;

/** Orders and steps without a result: "Divide both sides by 3". */
const step =
  /^(?:(?:we|now|then|next|first),? ){0,2}(?:plug(?:ging)?|substitut(?:e|ing)|divid(?:e|ing)|multiply(?:ing)?)\s(?!.{0,200}(?:(?<!\p{L})(?:gives?|get|yields?|is|are|equals?|results?|have|obtain|makes?|gets|becomes)(?!\p{L})|[=:\ue000]))/iu;

/** Whether a sentence asks, supposes, refuses or orders instead of stating; `mask` has its formulas covered. */
export function isUnsettled(mask: string, stop: string): boolean {
  const said = mask.slice(0, 600);
  // "Would you like more details?" asks nothing about a value.
  const asks = stop === '?' && /[\d\ue000]/u.test(said);
  return asks || notKnown.test(said) || supposed.test(said) || step.test(said);
}

/** What is said beside the answer: "Note: ...", "(Indeed, ...)". */
export const aside =
  /^[*_(]{0,4}(?:note|check|checking|remark|bonus|verification|indeed|here['\u2019]s (?:how|why)|explanation|reminder|p\.s\.)(?=[:,*_])/iu;

/** Words with which a writer takes back what stands before them. */
export const takenBack =
  /(?<!\p{L})(?:wait|oops|scratch that|or so I thought|(?:may|might|could) be wrong|but I (?:calculate|compute|get|got|find)|actually,?|correction|in fact it(?:['\u2019]s| is))(?!\p{L})/iu;

const courtesy =
  /(?<!\p{L})(?:helps?|hope|claimed|desired|required|wanted|know|answer|q\.?e\.?d|done|welcome)(?!\p{L})/iu;

/**
 * Whether a text whose last sentence is `mask` was cut off in it: it ends in a colon, or in a word and without a value. The
 * answer would have come.
 */
export function breaksOff(mask: string): boolean {
  const last = mask.replace(/^[*_\s]{1,8}|[*_\s]{1,8}$/gu, '');
  if (/[:\uff1a]$/u.test(last)) return true;
  if (/[\d\ue000\u03c0\u221a\u221e]/u.test(last) || !/\p{Script=Latin}$/u.test(last)) return false;
  if (courtesy.test(last) || !/[\p{Ll}]$/u.test(last)) return false;
  return (
    /^(?:then|so|now|next|thus|therefore|hence|and)$/iu.test(last) ||
    /^(?:next|now|then|finally,? (?:we|he|she|it|they)|she|he|they|we|each|to (?:find|get|solve))(?!\p{L}).{0,200}\s\p{Ll}{1,24}$/iu.test(
      last,
    )
  );
}
