// TypeScript, and modules, to plain scripts. Only rewrites text: nothing is type-checked and nothing is run.
import type { Loader } from 'esbuild';
import type { CodeLanguage } from '../settings.ts';

/** Longest program that is rewritten, in UTF-16 units: deep nesting costs the parser stack. */
const maxRewritten = 65_536;

const moduleSyntax = /^[ \t]*(?:import\b(?![ \t]*\()|export\b)/m;

/** The program as a script of ES2023, or why it cannot be one. */
export async function plainScript(
  program: string,
  language: CodeLanguage,
): Promise<{ script: string } | { problem: string }> {
  if (language === 'javascript' && !moduleSyntax.test(program)) return { script: program };
  if (program.length > maxRewritten) {
    return { problem: `the program is longer than ${maxRewritten} characters` };
  }
  const { transform, stop } = await import('esbuild');
  const loader: Loader = language === 'javascript' ? 'js' : 'ts';
  try {
    const { code } = await transform(program, {
      loader,
      // Modules become calls of require; declarations stay at the top, where tests find them.
      format: moduleSyntax.test(program) ? 'cjs' : undefined,
      target: 'es2023',
      logLevel: 'silent',
      tsconfigRaw: '{}',
    });
    return { script: code };
  } catch (error) {
    if (!isSyntaxError(error)) {
      // Its process has ended; the next program gets a new one.
      await stop();
      throw error;
    }
    const [first] = error.errors;
    return { problem: `SyntaxError: ${first?.text ?? 'unknown'}` };
  }
}

function isSyntaxError(error: unknown): error is { errors: { text: string }[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** Ends the process that rewrites. */
export async function closeRewriter(language: CodeLanguage): Promise<void> {
  if (language === 'typescript') await (await import('esbuild')).stop();
}
