/**
 * Keeps zod from compiling its parsers with eval, which the page's content security policy refuses and reports. It has
 * to run before the first schema is made: it is imported before everything that has schemas.
 */
import * as z from 'zod';

z.config({ jitless: true });
