import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { manifestFromJson, manifestToJson } from './manifest.ts';
import { ChangeSketch, exactTau } from './threshold.ts';
import { defaultTraceSettings, type TraceManifest } from './types.ts';

const change = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-9, max: 1e5, noNaN: true }),
  // Near 1, where the keys of the sketch change sign.
  fc.double({ min: 0.99, max: 1.01, noNaN: true }),
);
const list = fc.array(change, { maxLength: 80 });
const zeta = fc.double({ min: 0.1, max: 99.9, noNaN: true });

function sketchOf(...lists: number[][]): ChangeSketch {
  const sketch = new ChangeSketch();
  for (const one of lists) sketch.add(one);
  return sketch;
}

test('the exact threshold is the value of rank floor(q (n - 1))', () => {
  const d = Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
  expect(exactTau(d, 95)).toBe(95);
  expect(exactTau(d, 80)).toBe(80);
  expect(exactTau([3, Number.NaN, 1, 2], 50)).toBe(2);
  expect(exactTau([4, 1], 95)).toBe(1);
  expect(exactTau([], 95)).toBeNaN();
});

test('the streamed threshold is the exact one within the relative accuracy', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 200 }), zeta, (d, at) => {
      const exact = exactTau(d, at);
      expect(Math.abs(sketchOf(d).tau(at) - exact)).toBeLessThanOrEqual(1.0001e-3 * exact);
    }),
  );
});

test('the streamed threshold of a long stream', () => {
  const random = stream(11, 'changes');
  const d = Array.from({ length: 50_000 }, () => Math.abs(random.normal()) ** 3);
  const exact = exactTau(d, 95);
  expect(exact).toBeCloseTo(1.96 ** 3, 0);
  expect(Math.abs(sketchOf(d).tau(95) - exact)).toBeLessThanOrEqual(1.0001e-3 * exact);
});

test('a merged sketch is the sketch of the union, in any order', () => {
  fc.assert(
    fc.property(list, list, (a, b) => {
      const union = sketchOf(a, b).state();
      const merged = sketchOf(a);
      merged.merge(sketchOf(b));
      expect(merged.state()).toEqual(union);
      const turned = sketchOf(b);
      turned.merge(sketchOf(a));
      expect(turned.state()).toEqual(union);
      expect(merged.count).toBe(a.length + b.length);
    }),
  );
});

test('a sketch goes on from JSON as if it had not stopped', () => {
  fc.assert(
    fc.property(list, list, zeta, (a, b, at) => {
      const whole = sketchOf(a, b);
      const resumed = ChangeSketch.from(JSON.parse(JSON.stringify(sketchOf(a).state())));
      resumed.add(b);
      expect(resumed.state()).toEqual(whole.state());
      expect(resumed.tau(at)).toBe(whole.tau(at));
    }),
  );
});

test('undefined changes are left out, rounding counts as nothing, impossible ones are refused', () => {
  const sketch = sketchOf([Number.NaN, 2, Number.NaN, 1e-300]);
  expect(sketch.count).toBe(2);
  expect(sketch.state().zeroCount).toBe(1);
  expect(sketchOf([]).tau(95)).toBeNaN();
  expect(() => sketchOf([-1])).toThrow(RangeError);
  expect(() => sketchOf([Number.POSITIVE_INFINITY])).toThrow(RangeError);
  expect(() => sketch.merge(new ChangeSketch(0.01))).toThrow('do not merge');
});

test('a manifest survives its JSON form', () => {
  const sketch = sketchOf([0, 0.5, 3]);
  const manifest: TraceManifest = {
    model: 'abc',
    settings: { ...defaultTraceSettings },
    heads: [{ layer: 1, head: 2 }],
    tau: sketch.tau(95),
    sketch: sketch.state(),
    signals: ['distance', 'far_mass'],
    thresholds: [{ signal: 'far_mass', tau: 0.25, sketch: sketchOf([0.25]).state() }],
    traces: 1,
    tokens: 3,
  };
  const json = JSON.parse(JSON.stringify(manifestToJson(manifest)));
  expect(json.settings.min_heads).toBe(2);
  expect(manifestFromJson(json, 'here')).toEqual(manifest);
  const { signals: _, thresholds: __, ...before } = json;
  expect(manifestFromJson(before, 'here')).toMatchObject({ signals: ['distance'], thresholds: [] });
  const wrong = { ...json, settings: { ...json.settings, delta: 0 } };
  expect(() => manifestFromJson(wrong, 'trace.json')).toThrow(/trace\.json.*settings\.delta/);
  expect(() => manifestFromJson({ ...json, tokenz: 1 }, 'trace.json')).toThrow(/tokenz/);
});
