/** Settings of the annotation desk. */
import { z } from 'zod';
import { count, flag, number } from './keys.ts';

/** Scheme, name and port where it is not the usual one, and nothing else. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export const serve = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on; another one than loopback needs serve.origin or serve.hosts',
      ),
    port: z.int().min(0).max(65_535).default(7411).describe('Port to listen on; 0 = any free one'),
    origin: z
      .string()
      .refine(isOrigin, { error: 'an address without a path, such as https://label.example.org' })
      .nullable()
      .default(null)
      .describe(
        'Address that people use, where a proxy stands before the server, such as https://label.example.org',
      ),
    hosts: z
      .array(z.string().regex(/^[A-Za-z0-9.-]+$/))
      .default([])
      .describe('Further names, without a port, under which the server is reached directly'),
    forwarded: flag(
      false,
      'Believe the last address in x-forwarded-for: only behind a proxy that sets it',
    ),
    lease_seconds: count(300, 10, 'How long a question is kept for whoever has it in hand'),
    overlap: count(1, 1, 'Different people who answer each question'),
    gold_every: count(0, 0, 'Every so many questions one whose answer is known; 0 = never'),
    check_every: count(
      5,
      0,
      "Every so many questions one that checks a teacher's label, which also come where nothing else waits; 0 = only there",
    ),
    session_hours: number(12, 0.1, 'A sign-in ends after this time, however busy'),
    idle_minutes: number(120, 1, 'And when it was not used for this time'),
  })
  .prefault({})
  .describe('The annotation desk');
