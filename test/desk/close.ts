/** Ends what a suite opened, in this order, whatever of it there is. */
export async function closeAll(
  ...opened: ({ close(): Promise<unknown> } | undefined)[]
): Promise<void> {
  for (const one of opened) await one?.close();
}
