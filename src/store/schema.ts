/**
 * The tables as TypeScript sees them, named as in the migrations.
 *
 * JSON columns are of type `json`, not `jsonb`: the text comes back as it was written, key order and
 * \u0000 escapes included. Knows nothing of queries.
 */
import type { ColumnType, Generated } from 'kysely';

/** Written as JSON text, read as the value. */
type Json = ColumnType<unknown, string, string>;

export interface PromptRow {
  id: string;
  position: number;
  content: Json;
  source: string;
  metadata: Json;
}

export interface RolloutRow {
  prompt_id: string;
  round: number;
  sample: number;
  text: string;
  tokens: Uint8Array;
  prompt_length: number;
  length: number;
  mean_logprob: number;
  mean_entropy: number;
  max_entropy: number;
  mean_self_certainty: number;
  answer: string | null;
  answer_class: number;
  finish: 'stop' | 'length';
  layer_path: Uint8Array | null;
}

export interface TraceRow {
  prompt_id: string;
  round: number;
  sample: number;
  tokens: number;
  heads: Json;
  far_mass: Uint8Array | null;
  distance: Uint8Array | null;
  entropy: Uint8Array | null;
  change: Uint8Array | null;
  received: Uint8Array | null;
  agreement: Uint8Array | null;
  layer_far_mass: Uint8Array | null;
  changes: Uint8Array | null;
}

export interface ScoreRow {
  prompt_id: string;
  round: number;
  estimator: string;
  value: number;
}

export interface ProbeRow {
  plan: string;
  prompt_id: string;
  round: number;
  pass_rate: number;
  vote_right: boolean | null;
}

export interface PlanRow {
  name: string;
  revision: number;
  body: Json;
  decisions: ColumnType<number | null, number | null | undefined, number | null>;
}

export interface PlanPageRow {
  plan: string;
  page: number;
  /** JSON. */
  decisions: string;
}

export interface RouteRow {
  plan: string;
  prompt_id: string;
  state: string;
}

export interface TransitionRow {
  ordinal: number;
  plan: string;
  revision: number;
  prompt_id: string;
  round: number;
  /** -1 before training, so that the unique key has no null in it. */
  step: number;
  from_state: string | null;
  to_state: string;
  rule: string;
  evidence: Json;
  /** How often the same change was recorded before. */
  again: Generated<number>;
}

export interface LabelRow {
  ordinal: number;
  account: string;
  prompt_id: string;
  source: string;
  answer: string;
  cost: number;
  noisy: boolean;
  bought_run: string | null;
  bought_step: number | null;
  /** null: it counts. */
  withdrawn_at: ColumnType<number | null, number | null | undefined, number | null>;
}

export interface TaskRow {
  account: string;
  prompt_id: string;
  utility: number;
  run: string | null;
  step: number | null;
  reason: string;
  state: 'open' | 'adjudicate' | 'done' | 'withdrawn';
  outcome: 'labelled' | 'no_answer' | 'bad_question' | null;
  overlap: number;
  gold: boolean;
  checks: string | null;
  answers: number;
  revision: number;
  label_source: string | null;
  created_at: number;
  decided_at: number | null;
}

export interface GoldRow {
  account: string;
  prompt_id: string;
  answer: string;
}

export interface LeaseRow {
  account: string;
  prompt_id: string;
  annotator: string;
  taken_at: number;
  expires_at: number;
}

export interface AnnotationRow {
  ordinal: number;
  account: string;
  prompt_id: string;
  annotator: string;
  kind: 'answer' | 'no_answer' | 'bad_question' | 'skip';
  answer: string | null;
  note: string;
  revealed: boolean;
  seconds: number;
  at: number;
  undone: boolean;
  adjudicates: boolean;
  gold: boolean;
  checks: string | null;
  correct: boolean | null;
}

export interface RunRow {
  name: string;
  kind: string;
  status: 'running' | 'stopped' | 'done' | 'failed';
  plan: string | null;
  account: string | null;
  config: Json;
  summary: Json;
}

export interface MetaRow {
  key: string;
  value: Json;
}

export interface UserRow {
  id: string;
  name: string;
  /** Equal for names that people would take for the same one. */
  name_key: string;
  role: 'admin' | 'annotator' | 'viewer';
  kind: 'person' | 'teacher';
  disabled: boolean;
  /** Hashed; null: cannot sign in by password. */
  password: string | null;
  created_at: number;
}

export interface SessionRow {
  /** Hash of the token. */
  key: string;
  user_id: string;
  created_at: number;
  seen_at: number;
  expires_at: number;
}

export interface InvitationRow {
  /** Hash of the token. */
  key: string;
  user_id: string | null;
  role: 'admin' | 'annotator' | 'viewer';
  name: string | null;
  created_by: string | null;
  created_at: number;
  expires_at: number;
  used: boolean;
}

export interface AuditRow {
  ordinal: number;
  at: number;
  user_id: string | null;
  action: string;
  subject: string;
  detail: Json;
}

export interface Database {
  prompts: PromptRow;
  rollouts: RolloutRow;
  traces: TraceRow;
  scores: ScoreRow;
  probes: ProbeRow;
  plans: PlanRow;
  plan_pages: PlanPageRow;
  routes: RouteRow;
  transitions: TransitionRow;
  labels: LabelRow;
  tasks: TaskRow;
  golds: GoldRow;
  leases: LeaseRow;
  annotations: AnnotationRow;
  runs: RunRow;
  meta: MetaRow;
  users: UserRow;
  sessions: SessionRow;
  invitations: InvitationRow;
  audit: AuditRow;
}
