/** @jsxImportSource preact */
/** The people page: who may do what, links that invite, how well and how fast people answer, and what was done. */
import { useTitle } from '../../parts/controls.tsx';
import { Audit } from './audit.tsx';
import { Figures } from './figures.tsx';
import { Users } from './users.tsx';

export default function People() {
  useTitle('People');
  return (
    <>
      <h1>People</h1>
      <Users />
      <Figures />
      <Audit />
    </>
  );
}
