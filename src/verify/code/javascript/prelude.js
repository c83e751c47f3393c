// What a JavaScript answer finds besides the language: console, reading of standard input in the ways that programs use,
// timers without waiting, assert. Runs inside the virtual machine before the program; it is given three functions of the
// host and gives the harness back, which keeps its own references to whatever it needs.
(function prelude(write, exit, stdin) {
  const { stringify, parse } = JSON;
  const { is, keys, getPrototypeOf } = Object;
  const { isArray } = Array;

  // --- console, in the manner of Node, on one line ---

  const isPlainKey = (key) => /^[A-Za-z_$][\w$]*$/.test(key);
  const quote = (text) => {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : '`';
    return mark + text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') + mark;
  };
  const wrap = (open, parts, close) =>
    parts.length === 0 ? open + close : `${open} ${parts.join(', ')} ${close}`;
  const inspect = (value, depth) => {
    if (typeof value === 'string') return depth === 0 ? value : quote(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (is(value, -0)) return '-0';
    if (typeof value === 'function') return `[Function: ${value.name || '(anonymous)'}]`;
    if (typeof value !== 'object' || value === null) return String(value);
    if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
    if (value instanceof RegExp) return String(value);
    if (value instanceof Date) return value.toISOString();
    if (depth > 2) return isArray(value) ? '[Array]' : '[Object]';
    const inner = (item) => inspect(item, depth + 1);
    if (isArray(value)) return wrap('[', value.map(inner), ']');
    if (ArrayBuffer.isView(value))
      return wrap(`${value.constructor.name}(${value.length}) [`, Array.from(value, inner), ']');
    if (value instanceof Map) {
      const pairs = [...value].map(([key, item]) => `${inner(key)} => ${inner(item)}`);
      return wrap(`Map(${value.size}) {`, pairs, '}');
    }
    if (value instanceof Set) return wrap(`Set(${value.size}) {`, [...value].map(inner), '}');
    const name = getPrototypeOf(value)?.constructor?.name;
    const parts = keys(value).map(
      (key) => `${isPlainKey(key) ? key : quote(key)}: ${inner(value[key])}`,
    );
    return wrap(name && name !== 'Object' ? `${name} {` : '{', parts, '}');
  };
  const format = (first, ...rest) => {
    if (typeof first !== 'string' || rest.length === 0 || !first.includes('%'))
      return [first, ...rest].map((value) => inspect(value, 0)).join(' ');
    let next = 0;
    const text = first.replace(/%[sdifjoO%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (next >= rest.length) return mark;
      const value = rest[next++];
      if (mark === '%d') return String(Number(value));
      if (mark === '%i') return String(Number.parseInt(value, 10));
      if (mark === '%f') return String(Number.parseFloat(value));
      return mark === '%j' ? stringify(value) : inspect(value, mark === '%s' ? 0 : 1);
    });
    return [text, ...rest.slice(next).map((value) => inspect(value, 0))].join(' ');
  };
  const print = (...values) => write(`${values.length === 0 ? '' : format(...values)}\n`);
  const quiet = () => {};
  const console = {
    log: print,
    info: print,
    debug: print,
    error: quiet,
    warn: quiet,
    trace: quiet,
  };

  // --- timers: in order of their time, without waiting ---

  let timers = [];
  let count = 0;
  const later = (act, ms = 0, ...values) => {
    timers.push({ id: ++count, at: (later.now ?? 0) + Math.max(1, Number(ms) || 0), act, values });
    return count;
  };
  const cancel = (id) => {
    timers = timers.filter((timer) => timer.id !== id);
  };
  const every = (act, ms, ...values) => {
    const id = later(() => {
      act(...values);
      if (timers.cancelled !== id)
        timers.push({ id, at: later.now + Math.max(1, Number(ms) || 0), act: again, values });
    }, ms);
    const again = timers.at(-1).act;
    return id;
  };
  const soon = (act, ...values) => later(act, 0, ...values);
  /** Calls the next timer; false where there is none. */
  const tick = () => {
    if (timers.length === 0) return false;
    const next = timers.reduce((best, timer) => (timer.at < best.at ? timer : best));
    timers.splice(timers.indexOf(next), 1);
    later.now = next.at;
    next.act(...next.values);
    return true;
  };

  // --- standard input ---

  let unread = stdin;
  const readAll = () => {
    const text = unread;
    unread = '';
    return text;
  };
  const readLine = () => {
    if (unread === '') return null;
    const end = unread.indexOf('\n');
    const line = end === -1 ? unread : unread.slice(0, end);
    unread = end === -1 ? '' : unread.slice(end + 1);
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  };
  const emitter = (begin) => {
    const heard = new Map();
    let begun = false;
    const on = (event, act) => {
      heard.set(event, [...(heard.get(event) ?? []), act]);
      if (!begun) {
        begun = true;
        soon(begin);
      }
      return self;
    };
    const emit = (event, ...values) => {
      for (const act of heard.get(event) ?? []) act(...values);
    };
    const self = {
      on,
      once: on,
      addListener: on,
      emit,
      off: () => self,
      removeAllListeners: () => self,
    };
    return self;
  };
  const input = emitter(() => {
    const text = readAll();
    if (text !== '') input.emit('data', text);
    input.emit('end');
    input.emit('close');
  });
  let taken = false;
  const nothing = () => input;
  Object.assign(input, {
    fd: 0,
    isTTY: false,
    setEncoding: nothing,
    resume: nothing,
    pause: nothing,
    unref: nothing,
    read: () => {
      if (taken) return null;
      taken = true;
      return readAll() || null;
    },
    async *[Symbol.asyncIterator]() {
      const text = readAll();
      if (text !== '') yield text;
    },
  });
  const createInterface = () => {
    let closed = false;
    const asked = [];
    const pump = () => {
      if (closed) return;
      const line = readLine();
      if (line === null) return close();
      if (asked.length > 0) asked.shift()(line);
      else lines.emit('line', line);
      soon(pump);
    };
    const lines = emitter(pump);
    const close = () => {
      if (closed) return;
      closed = true;
      lines.emit('close');
    };
    const question = (text, options, act = options) => {
      write(String(text));
      asked.push(act);
      if (asked.length === 1) lines.on('question', quiet);
    };
    const same = () => lines;
    return Object.assign(lines, {
      close,
      question,
      prompt: quiet,
      setPrompt: quiet,
      pause: same,
      resume: same,
      async *[Symbol.asyncIterator]() {
        for (let line = readLine(); line !== null; line = readLine()) yield line;
      },
    });
  };
  const readFileSync = (path) => {
    if (path === 0 || path === '/dev/stdin' || path === input.fd) return readAll();
    throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  };
  const readFile = (path, options, act = options) =>
    typeof act === 'function'
      ? soon(() => act(null, readFileSync(path)))
      : Promise.resolve(readFileSync(path));

  // --- assert ---

  class AssertionError extends Error {
    name = 'AssertionError';
  }
  const fail = (message, otherwise) => {
    if (message instanceof Error) throw message;
    throw new AssertionError(message === undefined ? otherwise : String(message));
  };
  /** Equal as text, as `1` and `'1'`; null and undefined are alike. */
  const alike = (one, other) => (one ?? null) === (other ?? null) || `${one}` === `${other}`;
  const same = (one, other, loose) => {
    if (is(one, other) || (one === other && one === 0 && loose)) return true;
    if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
      return loose && alike(one, other);
    if (isArray(one) !== isArray(other)) return false;
    if (!loose && getPrototypeOf(one) !== getPrototypeOf(other)) return false;
    if (one instanceof Date) return other instanceof Date && one.getTime() === other.getTime();
    if (one instanceof Map)
      return (
        other instanceof Map &&
        one.size === other.size &&
        [...one].every(([key, item]) => other.has(key) && same(item, other.get(key), loose))
      );
    if (one instanceof Set)
      return (
        other instanceof Set &&
        one.size === other.size &&
        [...one].every(
          (item) => other.has(item) || [...other].some((rest) => same(item, rest, loose)),
        )
      );
    const names = keys(one);
    return (
      names.length === keys(other).length &&
      names.every((key) => Object.hasOwn(other, key) && same(one[key], other[key], loose))
    );
  };
  const told = (one, other) => `${inspect(one, 1)} is not ${inspect(other, 1)}`;
  const ok = (value, message) => {
    if (!value) fail(message, 'assertion failed');
  };
  const expects = (holds) => (one, other, message) => {
    if (!holds(one, other)) fail(message, told(one, other));
  };
  const throws = (act) => {
    try {
      act();
    } catch {
      return;
    }
    fail(undefined, 'nothing was thrown');
  };
  const makeAssert = () =>
    Object.assign((value, message) => ok(value, message), {
      ok,
      throws,
      fail: (message) => fail(message, 'failed'),
      AssertionError,
      equal: expects(alike),
      notEqual: expects((one, other) => !is(one, other)),
      strictEqual: expects(is),
      notStrictEqual: expects((one, other) => !is(one, other)),
      deepEqual: expects((one, other) => same(one, other, true)),
      deepStrictEqual: expects((one, other) => same(one, other, false)),
      notDeepEqual: expects((one, other) => !same(one, other, true)),
      notDeepStrictEqual: expects((one, other) => !same(one, other, false)),
    });

  // --- the program's own world ---

  const process = {
    argv: ['node', 'answer.js'],
    env: {},
    platform: 'linux',
    stdin: input,
    stdout: {
      write: (text) => {
        write(String(text));
        return true;
      },
      isTTY: false,
    },
    stderr: { write: () => true },
    exit: (code = process.exitCode ?? 0) => exit(Number(code)),
    exitCode: undefined,
    on: () => process,
    nextTick: (act, ...values) => void Promise.resolve().then(() => act(...values)),
    hrtime: Object.assign(() => [0, 0], { bigint: () => 0n }),
    memoryUsage: () => ({ heapUsed: 0 }),
  };
  const makeRequire = (assert) => {
    const fs = {
      readFileSync,
      readFile,
      promises: { readFile },
      writeSync: (_, text) => write(String(text)),
    };
    fs.writeFileSync = (path, text) => {
      if (path !== 1 && path !== '/dev/stdout')
        throw new Error(`EACCES: permission denied, open '${path}'`);
      write(String(text));
    };
    const modules = {
      fs,
      assert: Object.assign(assert, { strict: assert }),
      process,
      readline: { createInterface },
      util: { inspect: (value) => inspect(value, 1), format },
      os: { EOL: '\n' },
    };
    return (name) => {
      const module = modules[String(name).replace(/^node:/, '')];
      if (module === undefined || !Object.hasOwn(modules, String(name).replace(/^node:/, '')))
        throw new Error(`Cannot find module '${name}'`);
      return module;
    };
  };

  // A verdict must not depend on chance: the same numbers in every run.
  let state = 0x9e3779b9;
  Math.random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };

  const module = { exports: {} };
  Object.assign(globalThis, {
    console,
    print,
    readline: readLine,
    process,
    require: makeRequire(makeAssert()),
    module,
    exports: module.exports,
    setTimeout: later,
    setInterval: every,
    setImmediate: soon,
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
    queueMicrotask: (act) => void Promise.resolve().then(act),
    structuredClone: (value) => parse(stringify(value)),
    performance: { now: () => 0 },
  });

  // --- the harness: what it uses is its own, whatever the program has done to the globals ---

  const assert = makeAssert();
  const asJson = (_, value) => {
    if (value instanceof Set) return [...value];
    if (value instanceof Map) return Object.fromEntries(value);
    if (typeof value === 'bigint') return Number(value);
    return value === undefined ? null : value;
  };
  return {
    tick,
    /** The value of a call, in JSON. */
    call: (act, values) => stringify(act(...parse(values)), asJson) ?? 'null',
    /** Runs the tests with an assert that the program has not seen. */
    test: (tests) => tests(assert, makeRequire(assert), { ...console, assert }),
  };
});
