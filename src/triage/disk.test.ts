import { describe, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import {
  planFromJson,
  planToJson,
  schedulerStateFromJson,
  schedulerStateToJson,
  transitionFromLine,
  transitionToLine,
} from './disk.ts';
import { planTriage } from './plan.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import { Scheduler } from './scheduler.ts';
import { simulatedPool } from './simulated.ts';
import {
  entryTransitions,
  labelTransitions,
  probeTransitions,
  replay,
  transitionsOf,
} from './transitions.ts';
import type { PromptState, Transition } from './types.ts';

const pool = simulatedPool(120, 6);
const probeIds = drawProbes(rankPool(pool.column), 0.1);
const plan = planTriage({
  name: 'main',
  scores: pool.column,
  probes: pool.probe(probeIds),
  lengths: pool.lengths,
  settings: { resamples: 50 },
});
const occasion = { plan: 'main', round: 0, step: null };

describe('on disk', () => {
  test('a plan comes back from JSON as it was, with snake_case keys in between', () => {
    const text = JSON.stringify(planToJson(plan));
    expect(planFromJson(JSON.parse(text))).toEqual(plan);
    expect(text).toContain('"discard_below"');
    expect(text).toContain('"expected_pass_rate"');
    expect(text).not.toMatch(/"[a-z_]+[A-Z]\w*":/);
  });

  test('a broken plan names the file and the key', () => {
    const json = JSON.parse(JSON.stringify(planToJson(plan)));
    json.decisions[3].expected_pass_rate = 2;
    expect(() => planFromJson(json, 'plan.json')).toThrow(
      /plan\.json: .*decisions\.3\.expected_pass_rate/,
    );
    expect(() => planFromJson({ ...json, surprise: 1 })).toThrow(UserError);
  });

  test('a state of the scheduler comes back bit for bit, and a broken one names the key', () => {
    const prompts = ['a', 'b', 'constructor'].map((promptId, i) => ({
      ...{ promptId, state: 'new' as const, features: [i], traced: [i / 3, -1e-300] },
      probe: { passRate: 1 / 3, samples: 7 },
    }));
    const scheduler = new Scheduler({ plan: 'run a', round: 2 }, prompts, { labels: 3 });
    scheduler.observe(4, [{ promptId: 'a', voteShare: 0.7, samples: 3, traced: [0.1 + 0.2, 5] }]);
    const json: unknown = JSON.parse(JSON.stringify(schedulerStateToJson(scheduler.save())));
    expect(schedulerStateFromJson(json)).toEqual(scheduler.save());
    expect(JSON.stringify(json)).not.toMatch(/"[a-z_]+[A-Z]\w*":/);
    const broken = { ...scheduler.save(), groups: -1 };
    expect(() => schedulerStateFromJson(schedulerStateToJson(broken), 'state.json')).toThrow(
      /state\.json: .*groups/,
    );
    for (const other of [null, {}, { ...broken, groups: 0, version: 1 }])
      expect(() => schedulerStateFromJson(other)).toThrow(UserError);
  });

  test('a transition comes back from its line, keys of its evidence untouched', () => {
    const [first] = transitionsOf(plan, new Map());
    const odd: Transition = { ...first, evidence: { some_key: 1, otherKey: 'x' } };
    expect(transitionFromLine(transitionToLine(odd))).toEqual(odd);
    expect(() => transitionFromLine('{"prompt_id', 'manifest.jsonl:7')).toThrow(
      /manifest\.jsonl:7/,
    );
  });
});

describe('transitions', () => {
  const entered = entryTransitions([...pool.mu.keys()], occasion);
  const asked = probeTransitions(probeIds, replay(entered), occasion);
  const labelled = labelTransitions(probeIds, replay([...entered, ...asked]), occasion);
  const before = [...entered, ...asked, ...labelled];
  const carried = transitionsOf(plan, replay(before));

  test('replay gives the states that the plan wants', () => {
    const states = replay([...before, ...carried]);
    expect(states.size).toBe(120);
    for (const { promptId, route, probe } of plan.decisions) {
      expect(states.get(promptId)).toBe(probe ? 'annotated' : route);
    }
  });

  test('carrying a plan out twice changes nothing', () => {
    expect(transitionsOf(plan, replay([...before, ...carried]))).toEqual([]);
    expect(probeTransitions(probeIds, replay(before), occasion)).toEqual([]);
    expect(labelTransitions(probeIds, replay(before), occasion)).toEqual([]);
  });

  test('a label is never unbought', () => {
    const annotated = new Map<string, PromptState>(
      plan.decisions.map((one) => [one.promptId, 'annotated']),
    );
    expect(transitionsOf(plan, annotated)).toEqual([]);
  });

  test('each transition says why', () => {
    for (const one of carried) {
      expect(one.rule).toMatch(/^quota:/);
      expect(one.evidence).toHaveProperty('mu_low');
      expect(one).toMatchObject({ from: 'new', plan: 'main', round: 0, step: null });
    }
  });

  test('a manifest with a hole or an impossible move is refused', () => {
    const [first, ...rest] = before.filter((one) => one.promptId === probeIds[0]);
    expect(() => replay([first, ...rest.slice(1)])).toThrow(/out of order/);
    expect(() => replay([first, { ...first, from: 'new', to: 'new' }])).toThrow(UserError);
  });
});
