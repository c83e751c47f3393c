/** Which policy it is: a hash of the files of a model directory that determine what it computes. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { errorCode, fileHash } from '../../core/files.ts';
import { adapterBase, readAdapterConfig } from '../../model/adapter-config.ts';
import { isGguf } from '../../model/gguf.ts';
import { requireModel } from '../../model/resolve.ts';

const COUNTS = /^(config\.json|tokenizer\.json|chat_template\..*|.*\.safetensors)$/;

/**
 * SHA-256 over names and contents, hex; of an adapter, its base's too; of a GGUF file, that of the file. UserError where
 * there is no model or it cannot be read.
 */
export async function modelIdentity(directory: string): Promise<string> {
  requireModel(directory);
  if (isGguf(directory)) return await fileHash(directory);
  const hash = createHash('sha256');
  const base = adapterBase(directory);
  if (base !== undefined) {
    const { settings } = readAdapterConfig(directory);
    hash.update(`base ${await modelIdentity(base)} ${JSON.stringify(settings)}\n`);
  }
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
