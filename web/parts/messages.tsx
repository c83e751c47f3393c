/** @jsxImportSource preact */
/** The messages of a prompt: who speaks, text with formulas, images. */
import type { WireMessage } from '../../src/server/wire.ts';
import { Rich, Shown } from '../markdown/rich.tsx';
import { Foreign } from './foreign.tsx';

const NAMES: Record<string, string> = {
  system: 'Instructions',
  user: 'Question',
  assistant: 'Model',
  tool: 'Tool',
};

/** `name` tells the groups of several prompts on a page apart. */
export function Messages({ messages, name }: { messages: readonly WireMessage[]; name: string }) {
  const alone = messages.length === 1;
  return (
    <div class="messages">
      {messages.map((message, at) => (
        <Message key={`${name} ${at.toString()}`} message={message} alone={alone} />
      ))}
    </div>
  );
}

function Message({ message, alone }: { message: WireMessage; alone: boolean }) {
  return (
    <div class={`message ${message.role === 'user' ? 'asks' : ''}`}>
      {alone ? null : (
        <p class="speaker">
          <Foreign text={NAMES[message.role] ?? message.role} />
        </p>
      )}
      {message.parts.map((part, at) =>
        part.type === 'text' ? (
          <Rich key={at.toString()} text={part.text} />
        ) : (
          <Shown key={at.toString()} url={part.url} said="" address={part.address} />
        ),
      )}
    </div>
  );
}
