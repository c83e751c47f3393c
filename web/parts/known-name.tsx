/** @jsxImportSource preact */
/** Tells a password manager whose password a form is about; people know it already. */
export function KnownName({ name }: { name: string }) {
  return (
    <input
      class="unseen"
      type="text"
      name="username"
      autocomplete="username"
      value={name}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
