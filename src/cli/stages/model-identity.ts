/** Which policy it is: a hash of the files of a model directory that determine what it computes. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { errorCode, fileHash } from '../../core/files.ts';

const COUNTS = /^(config\.json|tokenizer\.json|chat_template\..*|.*\.safetensors)$/;

/** SHA-256 over names and contents, hex. UserError when the directory cannot be read. */
export async function modelIdentity(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of filesOf(directory)) {
    hash.update(`${name} ${await fileHash(join(directory, name))}\n`);
  }
  return hash.digest('hex');
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => COUNTS.test(name))
      .sort();
  } catch (error) {
    throw new UserError(
      {
        wanted: 'a Hugging Face model directory',
        found: errorCode(error),
        where: directory,
        fix: 'Set `model` to a directory with config.json, tokenizer.json and safetensors.',
      },
      { cause: error },
    );
  }
}
