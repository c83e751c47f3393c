/**
 * All verbs, in the order of a project's life. Only the one that is called is loaded: the database, the engine
 * and the plots each take a noticeable time.
 */
import type { VerbEntry } from '../verb.ts';

export const verbs: readonly VerbEntry[] = [
  {
    name: 'init',
    summary: 'write the settings of a new project',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'pool',
    summary: 'read prompts into the workspace, or list them',
    load: async () => (await import('./pool.ts')).pool,
  },
  {
    name: 'trace',
    summary: 'sample the pool and trace attention while it decodes',
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'triage',
    summary: 'route every prompt: discard, self or annotate',
    load: async () => (await import('./triage.ts')).triage,
  },
  {
    name: 'verify',
    summary: 'judge answers against gold answers: one pair, or a file of them',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'label',
    summary: 'buy the labels that the plan asks for, or import them',
    load: async () => (await import('./label.ts')).label,
  },
  {
    name: 'serve',
    summary: 'the annotation desk: people label in a browser, traces and runs to look at',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'train',
    summary: 'GRPO on what the plan routes',
    load: async () => (await import('./train.ts')).train,
  },
  {
    name: 'export',
    summary: 'write data, rewards and a launch script for verl, TRL or OpenRLHF',
    load: async () => (await import('./export.ts')).exportVerb,
  },
  {
    name: 'eval',
    summary: 'accuracy of a model on held-out questions',
    load: async () => (await import('./eval.ts')).evaluation,
  },
  {
    name: 'report',
    summary: 'write one self-contained HTML file about all of it',
    load: async () => (await import('./report.ts')).report,
  },
  {
    name: 'demo',
    summary: 'all of it on the bundled model and pool, arms beside each other',
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    name: 'bench',
    summary: 'arms on several seeds with equal budgets, side by side, with tests and plots',
    load: async () => (await import('./bench.ts')).bench,
  },
  {
    name: 'db',
    summary: 'what is in the database; all of it as one file, and back',
    load: async () => (await import('./db.ts')).db,
  },
  {
    name: 'env',
    summary: 'show what this machine, installation and workspace offer',
    load: async () => (await import('./env.ts')).env,
  },
];
