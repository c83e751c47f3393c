/** A worker that compiles one graph and ends. */
import { Graph } from '../graph.ts';
import { Program } from '../program.ts';

const g = new Graph();
g.output('y', g.neg(g.input('x', [1])));
await Program.compile(g, { provider: 'cpu', threads: 1 });
