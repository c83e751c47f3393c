/** `bench`: arms on several seeds with equal budgets, run side by side; the same command goes on after a stop. */
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { sortArguments } from '../arguments.ts';
import { countBefore } from '../stages/bench/before.ts';
import { type Plan, planOf } from '../stages/bench/jobs.ts';
import { type Matrix, readMatrix } from '../stages/bench/matrix.ts';
import { writeBenchReport } from '../stages/bench/report.ts';
import { type Failure, runBench } from '../stages/bench/run.ts';
import { summaryOf } from '../stages/bench/summary.ts';
import { resultText } from '../stages/bench/terminal.ts';
import { runVerb } from '../stages/bench/verb-process.ts';
import type { Verb, VerbContext } from '../verb.ts';

export const bench: Verb = {
  operand: 'FILE.yaml [key.path=value ...]',
  needsConfig: false,
  configure(command) {
    command.option('--only <arms>', 'run these arms only: ARM[,ARM]');
    command.option('--report', 'run nothing; write the report of what is there');
    command.option('--redo', 'throw away what was run with other settings, and run it again');
  },
  async run(context) {
    const { operands, flags, cwd, output } = context;
    const { configFile, overrides } = sortArguments(operands, undefined, undefined);
    if (configFile === undefined) {
      throw new UserError({
        wanted: 'a bench file',
        found: 'none',
        fix: '`pivottrace bench FILE.yaml`; docs/guide/bench.md has one to begin with.',
      });
    }
    const matrix = readMatrix(configFile);
    const plan = planOf(matrix, overrides, cwd);
    const failures =
      flags.report === true ? [] : await carryOut(context, matrix, onlyArms(plan, matrix, flags));
    const command = ['pivottrace', 'bench', configFile, ...overrides].join(' ');
    const { data, files } = writeBenchReport(matrix, plan, command);
    const shown = relative(cwd, files.html) || files.html;
    output.result(resultText(data, shown), {
      ...summaryOf(data),
      failed: failures.map(({ id }) => id),
      report: files.html,
    });
    if (failures.length > 0) throw failed(failures);
  },
};

/** The jobs of the arms that were asked for, and the stages that they begin with. */
function onlyArms(plan: Plan, { arms }: Matrix, flags: VerbContext['flags']): Plan {
  if (typeof flags.only !== 'string') return plan;
  const names = flags.only.split(',');
  const unknown = names.find((name) => !arms.has(name));
  if (unknown !== undefined) {
    throw new UserError({
      wanted: `arms of the bench file (${[...arms.keys()].join(', ')}) for --only`,
      found: `"${unknown}"`,
    });
  }
  const cells = plan.cells.filter(({ arm }) => names.includes(arm));
  return { cells, shared: plan.shared.filter((job) => cells.some(({ from }) => from === job)) };
}

async function carryOut(
  { flags, output, stop }: VerbContext,
  { out, workers }: Matrix,
  plan: Plan,
): Promise<Failure[]> {
  return await runBench(plan, {
    ...{ out, workers, runVerb, countBefore, stop },
    threads: Math.max(1, Math.floor(availableParallelism() / workers)),
    redo: flags.redo === true,
    progress: output.progress,
    note: (sentence) => output.note(sentence),
  });
}

function failed(failures: readonly Failure[]): UserError {
  return new UserError({
    wanted: 'every cell to end well',
    found: `${failures.length} that failed`,
    fix: `\n${failures.map(({ id, text }) => `${id}: ${text}`).join('\n')}\nThe same command tries them again.`,
  });
}
