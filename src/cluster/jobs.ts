/**
 * The Ray Jobs REST API: submit, look at, read the logs of and stop a job; upload a package. What comes back is checked,
 * for a cluster is a network of other people's programs.
 *
 * One call is one request; when to ask again is the caller's business. Knows nothing of what jobs do.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';
import { type Answer, exchange } from './http.ts';

const jobStatuses = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export interface JobInfo {
  status: JobStatus;
  /** What Ray says about it; '' where it says nothing. */
  message: string;
}

export interface JobRequest {
  /** Runs in a shell on the cluster: made of fixed words and quoted paths only. */
  entrypoint: string;
  submissionId: string;
  /** `working_dir` is an address that `uploadPackage` gave. */
  runtimeEnv: Readonly<Record<string, unknown>>;
  metadata: Readonly<Record<string, string>>;
  /** GPUs for the entrypoint itself; without it, it gets none and runs on the head. */
  gpus?: number;
}

/** The cluster did not answer, or not with sense: it may later. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface JobsOptions {
  /** A call that takes longer has failed, in milliseconds. */
  timeoutMs?: number;
  /** Sent as a bearer token; null = none. It is never written anywhere. */
  token?: string | null;
}

const infoSchema = z.object({ status: z.enum(jobStatuses), message: z.string().nullish() });
const logsSchema = z.object({ logs: z.string() });
const versionSchema = z.object({ ray_version: z.string() });

/** Characters of an answer that a person is shown. */
const SHOWN = 400;

export class RayJobs {
  readonly address: URL;
  private readonly timeoutMs: number;
  private readonly token: string | null;

  constructor(address: URL, { timeoutMs = 30_000, token = null }: JobsOptions = {}) {
    this.address = address;
    this.timeoutMs = timeoutMs;
    this.token = token;
  }

  /** The version of Ray. */
  async version(): Promise<string> {
    return versionSchema.parse(await this.json('GET', 'api/version')).ray_version;
  }

  /**
   * Starts a job. A submission id is taken once: when one of this id is there already (a reply was lost, say), that is
   * the job. UserError where Ray refuses it.
   */
  async submit({
    entrypoint,
    submissionId,
    runtimeEnv,
    metadata,
    gpus,
  }: JobRequest): Promise<void> {
    const body = {
      ...{ entrypoint, submission_id: submissionId, runtime_env: runtimeEnv, metadata },
      ...(gpus === undefined ? {} : { entrypoint_num_gpus: gpus }),
    };
    const { status, text } = await this.send(
      'POST',
      'api/jobs/',
      Buffer.from(JSON.stringify(body)),
    );
    if (isGood(status) || (await this.info(submissionId)) !== null) return;
    // Ray answers 500 to much that it will never take: this is told from trouble by the kind of the exception.
    if (status >= 500 && !/(Value|Type)Error/.test(text)) throw this.trouble(status, text);
    throw this.refused('a job that Ray takes', status, text);
  }

  /** null: no such job. */
  async info(id: string): Promise<JobInfo | null> {
    const found = await this.json('GET', `api/jobs/${encodeURIComponent(id)}`, true);
    if (found === null) return null;
    const parsed = infoSchema.safeParse(found);
    if (!parsed.success)
      throw this.unreachable(`an answer that is no job: ${shown(JSON.stringify(found))}`);
    return { status: parsed.data.status, message: parsed.data.message ?? '' };
  }

  /** All that the job has printed so far; null: no such job. */
  async logs(id: string): Promise<string | null> {
    const found = await this.json('GET', `api/jobs/${encodeURIComponent(id)}/logs`, true);
    return found === null ? null : (logsSchema.safeParse(found).data?.logs ?? '');
  }

  /** Asks a job to end; false: no such job. */
  async stop(id: string): Promise<boolean> {
    return (await this.json('POST', `api/jobs/${encodeURIComponent(id)}/stop`, true)) !== null;
  }

  /** Gives the cluster a zip file to unpack for jobs, unless it has it; returns its address for `working_dir`. */
  async uploadPackage(name: string, zip: Uint8Array): Promise<string> {
    const path = `api/packages/gcs/${encodeURIComponent(name)}`;
    if (!isGood((await this.send('GET', path)).status)) {
      const { status, text } = await this.send('PUT', path, zip);
      if (status >= 500) throw this.trouble(status, text);
      if (!isGood(status)) throw this.refused('room for a package', status, text);
    }
    return `gcs://${name}`;
  }

  private async json(method: string, path: string, mayLack = false): Promise<unknown> {
    const { status, text } = await this.send(method, path);
    if (status === 404 && mayLack) return null;
    if (status >= 500) throw this.trouble(status, text);
    if (!isGood(status)) throw this.refused('an answer of the Ray Jobs API', status, text);
    try {
      return JSON.parse(text);
    } catch {
      throw this.unreachable(`an answer that is no JSON: ${shown(text)}`);
    }
  }

  private async send(method: string, path: string, body?: Uint8Array): Promise<Answer> {
    const url = new URL(path, this.address);
    const headers = {
      'content-type': 'application/json',
      ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
    };
    const { timeoutMs } = this;
    try {
      return await exchange({
        method,
        url,
        headers,
        timeoutMs,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw this.unreachable(causeOf(error));
    }
  }

  private trouble(status: number, text: string): Unreachable {
    return this.unreachable(`HTTP ${status}: ${shown(text)}`);
  }

  private unreachable(why: string): Unreachable {
    return new Unreachable(`${this.address.origin}: ${why}`);
  }

  private refused(wanted: string, status: number, text: string): UserError {
    const said = shown(text);
    return new UserError({
      wanted,
      found: `HTTP ${status}${said === '' ? '' : `: ${said}`}`,
      where: this.address.origin,
      fix: 'Look at the address of the cluster (--address, ray.address) and at the settings under `ray`.',
    });
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

/** Fit for a terminal. Of a long answer (a traceback), the end: it says what was wrong. */
function shown(text: string): string {
  const harmless = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return harmless.length <= SHOWN ? harmless : `... ${harmless.slice(-SHOWN)}`;
}

/** A connection that was refused on several addresses has a code and no message. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || errorCode(error);
}
