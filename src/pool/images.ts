// Which images a prompt may hold. Prompts come from anywhere, so only kinds that run nothing are taken, never SVG.
// Knows nothing of rows or of pages.

/** Largest image that a prompt may hold, in bytes. */
export const LARGEST_IMAGE = 3 * 2 ** 20;

/** Longest address of an image elsewhere, in characters. */
const LONGEST_ADDRESS = 2_000;

/** Whether an image begins with these bytes, given as Latin-1 text. */
const begins: Readonly<Record<string, (bytes: string) => boolean>> = {
  png: (bytes) => bytes.startsWith('\x89PNG\r\n\x1a\n'),
  jpeg: (bytes) => bytes.startsWith('\xff\xd8\xff'),
  webp: (bytes) => bytes.startsWith('RIFF') && bytes.startsWith('WEBP', 8),
  gif: (bytes) => bytes.startsWith('GIF87a') || bytes.startsWith('GIF89a'),
};

const kinds = 'PNG, JPEG, WebP or GIF';
const head = /^data:image\/(png|jpeg|webp|gif);base64,/;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What is wrong with the URL of an image, as in 'it is ...'; null where it is taken. */
export function imageFault(url: string): string | null {
  if (/^data:/i.test(url)) return dataFault(url);
  if (url.length > LONGEST_ADDRESS) return `an address of more than ${LONGEST_ADDRESS} characters`;
  return isAddress(url) ? null : 'neither a data: URL nor an http(s) address';
}

/** Does the URL hold an image that may be shown? */
export function isShownImage(url: string): boolean {
  return url.startsWith('data:') && dataFault(url) === null;
}

function dataFault(url: string): string | null {
  const found = head.exec(url);
  if (found === null) return `no ${kinds} image in base64, the only ones that are taken`;
  const data = url.slice(found[0].length);
  if (data.length > Math.ceil(LARGEST_IMAGE / 3) * 4) {
    return `an image of more than ${LARGEST_IMAGE / 2 ** 20} MiB`;
  }
  if (data.length % 4 !== 0 || !base64.test(data)) return 'no valid base64';
  const first = Buffer.from(data.slice(0, 24), 'base64').toString('latin1');
  return begins[found[1]](first) ? null : `no ${found[1]} image, as it says it is`;
}

/** Written out as an address is, so that it can be shown as it is. */
function isAddress(url: string): boolean {
  if (!/^https?:\/\/[!-~]+$/i.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
