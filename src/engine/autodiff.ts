/** Reverse-mode differentiation as a graph transform: it adds the nodes of the gradient to the graph. */
import type { Graph } from './graph.ts';
import { sizeOf, type Tensor } from './tensor.ts';
import { VJP_RULES } from './vjp.ts';

/**
 * Gradients of `loss` (one element) with respect to `parameters`, in their order and shapes.
 * Throws when the loss does not depend on a parameter, or when an operator on the way has no rule.
 */
export function gradients(g: Graph, loss: Tensor, parameters: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1) throw new Error(`the loss must be one number, got [${loss.shape}]`);
  const forward = [...g.nodes];
  const active = new Set(parameters.map((p) => p.name));
  for (const node of forward) {
    if (node.inputs.some((x) => active.has(x.name))) active.add(node.output.name);
  }

  const cotangents = new Map<string, Tensor>([[loss.name, g.scalar(1, loss.shape)]]);
  for (const node of forward.toReversed()) {
    const dy = cotangents.get(node.output.name);
    if (dy === undefined || !active.has(node.output.name)) continue;
    const rule = VJP_RULES[node.op];
    if (rule === undefined) throw new Error(`no gradient rule for ${node.op}`);
    const parts = rule(g, node, dy);
    for (const [i, input] of node.inputs.entries()) {
      const part = parts[i];
      if (!part || !active.has(input.name)) continue;
      const earlier = cotangents.get(input.name);
      cotangents.set(input.name, earlier === undefined ? part() : g.add(earlier, part()));
    }
  }

  return parameters.map((parameter) => {
    const gradient = cotangents.get(parameter.name);
    if (gradient === undefined) throw new Error(`the loss does not depend on ${parameter.name}`);
    return gradient;
  });
}
