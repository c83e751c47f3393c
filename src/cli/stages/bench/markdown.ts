/** bench.md: the tables of a bench, what they mean and how to get them again. */
import type {
  ArmResult,
  BenchData,
  Paired,
  PoolResult,
  Setting,
} from '../../../report/bench/data.ts';
import {
  beforeText,
  definitions,
  finding,
  neverText,
  points,
  pointsBetween,
  pValue,
  ratioOf,
  times,
  titleOf,
  withInterval,
} from '../../../report/bench/words.ts';
import type { Estimate } from '../../../report/data.ts';
import { DASH, duration, isKnown, percent, whole } from '../../../report/format.ts';

export function benchMarkdown(data: BenchData): string {
  const several = data.pools.length > 1;
  return [
    `# ${data.name}`,
    facts(data),
    ...notices(data),
    ...data.pools.flatMap((pool) => poolPart(data, pool, several)),
    ...(several ? [poolsPart(data)] : []),
    '## What the figures mean',
    definitions(data)
      .map((text) => `- ${text}`)
      .join('\n'),
    '## Settings',
    settingsTable('all arms', data.base),
    ...data.pools.flatMap((pool) =>
      pool.settings.length === 0 ? [] : [settingsTable(`pool ${pool.title}`, pool.settings)],
    ),
    ...armSettings(data).map(([title, list]) => settingsTable(title, list)),
    '## The same figures again',
    `\`\`\`sh\n${data.command}\n\`\`\``,
  ]
    .join('\n\n')
    .concat('\n');
}

function facts(data: BenchData): string {
  const { seeds, budget, k, testPrompts, version, machine, generatedAt } = data;
  const lines = [
    `Seeds ${seeds.join(', ')}; ${budget === null ? 'no budget' : `${whole(budget)} rollouts for every arm`}; avg@${k ?? 'k'} on ${whole(testPrompts)} questions.`,
    `pivottrace ${version}${machine === null ? '' : `, ${machine}`}${generatedAt === null ? '' : `, ${generatedAt}`}.`,
  ];
  return lines.join('  \n');
}

function notices({ missing }: BenchData): string[] {
  if (missing.length === 0) return [];
  const names = missing.map(({ pool, arm, seed }) => `${pool}/${arm}/${seed}`);
  return [`> ${missing.length} cells have no result: ${names.join(', ')}.`];
}

function poolPart(data: BenchData, pool: PoolResult, several: boolean): string[] {
  if (pool.arms.length === 0) return [];
  const size = pool.prompts === null ? '' : `, ${whole(pool.prompts)} prompts`;
  const reference = titleOf(pool, data.reference);
  const findings = pool.arms.flatMap((arm) => finding(arm, reference) ?? []);
  return [
    several ? `## ${pool.title}${size}` : `## Results${size}`,
    findings.map((text) => `- ${text}`).join('\n'),
    accuracyTable(pool),
    differenceTable(data, pool),
    convergenceTable(data, pool),
  ];
}

function accuracyTable(pool: PoolResult): string {
  return table(
    [
      'arm',
      'accuracy, %',
      'greedy, %',
      'change of greedy',
      'labels',
      'of pool',
      'steps',
      'rollouts',
      'tokens',
      'time',
      'seeds',
    ],
    pool.arms.map((arm) => [
      named(arm),
      cell(arm.final, points),
      cell(arm.greedy, points),
      cell(arm.greedyChange, pointsBetween),
      whole(arm.labels) +
        (arm.labelsVisited === null ? '' : ` (${whole(arm.labelsVisited)} visited)`),
      percent(arm.labelShare),
      whole(arm.steps),
      whole(arm.rollouts) + (beforeText(arm) === null ? '' : ` (${beforeText(arm)})`),
      whole(arm.tokens),
      duration(arm.seconds),
      whole(arm.seeds.length),
    ]),
  );
}

function differenceTable({ reference, random }: BenchData, pool: PoolResult): string {
  const columns = (test: Paired | null): string[] =>
    test === null
      ? [DASH, DASH, DASH, DASH, DASH]
      : [
          cell(test.difference, pointsBetween),
          isKnown(test.bound) ? pointsBetween(test.bound) : DASH,
          pValue(test.p),
          pValue(test.holm),
          pValue(test.signFlip),
        ];
  const head = (rival: string) => [
    `minus ${titleOf(pool, rival)}, points`,
    'one-sided bound',
    'p',
    'Holm',
    'sign flips',
  ];
  return table(
    ['arm', ...head(reference), ...(random === null ? [] : head(random))],
    pool.arms.map((arm) => [
      named(arm),
      ...columns(arm.minusReference),
      ...(random === null ? [] : columns(arm.minusRandom)),
    ]),
  );
}

function convergenceTable({ reference }: BenchData, pool: PoolResult): string {
  const { target } = pool;
  if (target === null) return '';
  return table(
    [
      `to ${percent(target)}`,
      'rollouts',
      'ratio',
      'strict bound',
      'on mean curves',
      'steps',
      'ratio',
      'time',
      'ratio',
      'never',
    ],
    pool.arms.map((arm) => {
      const { convergence: c } = arm;
      if (c === null) return [arm.title, ...new Array<string>(9).fill(DASH)];
      const isReference = arm.id === reference;
      return [
        arm.title,
        whole(c.at.rollouts),
        ratio(arm, reference, 'rollouts'),
        isKnown(c.strictBound) && !isReference ? times(c.strictBound) : DASH,
        cell(isReference ? null : c.onMeanCurve, times),
        whole(c.at.steps),
        ratio(arm, reference, 'steps'),
        duration(c.at.seconds),
        ratio(arm, reference, 'seconds'),
        neverText(c),
      ];
    }),
  );
}

function ratio(arm: ArmResult, reference: string, which: 'rollouts' | 'steps' | 'seconds'): string {
  const found = ratioOf(arm, reference, which);
  if (found === null || found === 'never') return found ?? DASH;
  return found.prefix + cell(found.estimate, times);
}

/** Difference and ratio by pool: the redundancy curve. */
function poolsPart(data: BenchData): string {
  const rows = data.pools.flatMap((pool) =>
    pool.arms
      .filter(({ id }) => id !== data.reference)
      .map((arm) => [
        pool.title,
        percent(pool.redundancy, 0),
        arm.title,
        percent(arm.labelShare),
        cell(arm.minusReference?.difference ?? null, pointsBetween),
        ratio(arm, data.reference, 'rollouts'),
        cell(arm.convergence?.onMeanCurve ?? null, times),
      ]),
  );
  const head = [
    'pool',
    'mastered or hopeless',
    'arm',
    'labels',
    'minus reference, points',
    'ratio',
    'on mean curves',
  ];
  return `## By pool\n\n${table(head, rows)}`;
}

/** Every arm once, whatever pools it ran on. */
function armSettings({ pools }: BenchData): [string, readonly Setting[]][] {
  const arms = new Map(pools.flatMap((pool) => pool.arms.map((arm) => [arm.id, arm] as const)));
  return [...arms.values()].map((arm) => [`arm ${arm.title}`, arm.settings]);
}

function settingsTable(title: string, settings: readonly Setting[]): string {
  const body = settings.map(([key, value]) => `${key}: ${value}`).join('\n');
  return `${title}\n\n\`\`\`yaml\n${body}\n\`\`\``;
}

function named({ title, note }: ArmResult): string {
  return note === null ? title : `${title} (${note})`;
}

function cell(estimate: Estimate | null, format: (value: number) => string): string {
  const text = withInterval(estimate, format);
  if (text === null) return DASH;
  return text.interval === null ? text.value : `${text.value} ${text.interval}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  const rule = `|${head.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
