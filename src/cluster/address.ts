/** Where a Ray cluster takes jobs: the address of its dashboard. */
import { UserError } from '../core/errors.ts';

/** Variables that Ray's own tools read, in their order. */
const variables = ['RAY_API_SERVER_ADDRESS', 'RAY_ADDRESS'] as const;

/**
 * The address that was given, else that of the environment. UserError where there is none, or one that is no address
 * of a dashboard.
 */
export function clusterAddress(
  given: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): URL {
  const variable = variables.find((name) => environment[name]);
  const text = given ?? (variable === undefined ? undefined : environment[variable]);
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) {
    url.pathname = url.pathname.replace(/\/*$/, '/');
    return url;
  }
  throw new UserError({
    wanted: 'the address of a Ray dashboard, such as http://head:8265',
    found: text === undefined ? 'none' : JSON.stringify(text),
    where: given === null ? (variable ?? variables.join(' or ')) : 'the address of the cluster',
    fix: 'Give --address, set ray.address, or set RAY_API_SERVER_ADDRESS. Jobs go to the dashboard (port 8265), not to ray:// or port 6379.',
  });
}
