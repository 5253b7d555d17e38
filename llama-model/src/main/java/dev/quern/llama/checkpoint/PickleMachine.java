package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Runs a pickle (Python's `Lib/pickletools.py` describes the operations): a stack, marks on it, a
/// memo. Of the 68 operations it knows the 27 that `torch.save` uses for a state dictionary, and
/// what they can make are
///
/// ```
/// Map<String, Object>          a dictionary, in the file's order
/// Object[]                     a tuple
/// String, Long, Boolean, null
/// what [Names] makes
/// ```
///
/// The program is hostile until proven otherwise: nothing is looked up by a name that it chooses
/// but in [Names], nothing is allocated for a length before the bytes are there, keys are strings
/// (the hash of another key could run into itself for ever), and operations are counted, so a file
/// of 64 MB can't fill gigabytes.
final class PickleMachine {
  private static final int PROTO = 0x80;
  private static final int STOP = '.';
  private static final int MARK = '(';
  private static final int NONE = 'N';
  private static final int NEWTRUE = 0x88;
  private static final int NEWFALSE = 0x89;
  private static final int BININT = 'J';
  private static final int BININT1 = 'K';
  private static final int BININT2 = 'M';
  private static final int LONG1 = 0x8a;
  private static final int BINUNICODE = 'X';
  private static final int EMPTY_TUPLE = ')';
  private static final int TUPLE1 = 0x85;
  private static final int TUPLE2 = 0x86;
  private static final int TUPLE3 = 0x87;
  private static final int TUPLE = 't';
  private static final int EMPTY_DICT = '}';
  private static final int SETITEM = 's';
  private static final int SETITEMS = 'u';
  private static final int BUILD = 'b';
  private static final int BINPUT = 'q';
  private static final int LONG_BINPUT = 'r';
  private static final int BINGET = 'h';
  private static final int LONG_BINGET = 'j';
  private static final int GLOBAL = 'c';
  private static final int REDUCE = 'R';
  private static final int BINPERSID = 'Q';

  private static final int MAX_PROTOCOL = 5;
  private static final int MAX_NAME_BYTES = 256;

  /// A tensor takes some 55 operations, so this is 38,000 tensors.
  private static final int MAX_OPERATIONS = 1 << 21;

  private static final Object[] EMPTY = {};

  /// What a program may name. Both throw [IllegalArgumentException] with words for what is wrong.
  interface Names {
    /// @param name module and name, with a space between
    /// @return null where there is none
    Object global(String name);

    /// An object that the program has by an id of its own.
    Object persistent(Object id);
  }

  /// A name that can be called.
  interface Callable {
    /// @throws IllegalArgumentException with words for what is wrong
    Object call(Object[] arguments);
  }

  /// What `BUILD` may set on a dictionary: the versions of modules, which nobody reads.
  private static final String METADATA = "_metadata";

  private final String file;
  private final byte[] program;
  private final Names names;
  private int position;
  private final List<Object> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>(); // sizes of the stack
  private final Map<Long, Object> memo = new HashMap<>();

  private PickleMachine(String file, byte[] program, Names names) {
    this.file = file;
    this.program = program;
    this.names = names;
  }

  /// Runs a program.
  ///
  /// @param file what messages call it
  /// @return what it leaves
  /// @throws CheckpointException where it is malformed or does what it may not
  static Object run(String file, byte[] program, Names names) {
    PickleMachine machine = new PickleMachine(file, program, names);
    Object result;
    try {
      int operation;
      int operations = 0;
      while ((operation = machine.u8()) != STOP) {
        require(++operations <= MAX_OPERATIONS, "more than %d operations", MAX_OPERATIONS);
        machine.step(operation);
      }
      result = machine.pop();
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: byte %d: a malformed pickle (%s), expected a state dictionary: the file is damaged",
              file,
              machine.position,
              e.getMessage()),
          e);
    }
    if (machine.position < program.length) {
      throw machine.fail(program.length - machine.position + " bytes behind the pickle", "none");
    }
    return result;
  }

  private void step(int operation) {
    switch (operation) {
      case PROTO -> {
        int protocol = u8();
        require(protocol <= MAX_PROTOCOL, "protocol %d", protocol);
      }
      case MARK -> marks.add(stack.size());
      case NONE -> push(null);
      case NEWTRUE -> push(true);
      case NEWFALSE -> push(false);
      case BININT -> push((long) (int) little(4));
      case BININT1 -> push(little(1));
      case BININT2 -> push(little(2));
      case LONG1 -> push(longNumber());
      case BINUNICODE -> push(text());
      case EMPTY_TUPLE -> push(EMPTY);
      case TUPLE1 -> push(tuple(1));
      case TUPLE2 -> push(tuple(2));
      case TUPLE3 -> push(tuple(3));
      case TUPLE -> push(popToMark());
      case EMPTY_DICT -> push(new LinkedHashMap<String, Object>());
      case SETITEM -> setItems(tuple(2));
      case SETITEMS -> setItems(popToMark());
      case BUILD -> build();
      case BINPUT -> memo.put(little(1), top());
      case LONG_BINPUT -> memo.put(little(4), top());
      case BINGET -> push(remembered(little(1)));
      case LONG_BINGET -> push(remembered(little(4)));
      case GLOBAL -> push(global());
      case REDUCE -> reduce();
      case BINPERSID -> push(names.persistent(pop()));
      default ->
          throw fail(
              String.format(Locale.ROOT, "the operation 0x%02x", operation),
              "those that a state dictionary needs: files that do more are refused");
    }
  }

  // ---- the stack

  private void push(Object value) {
    stack.add(value);
  }

  private Object pop() {
    require(stack.size() > floor(), "nothing on the stack");
    return stack.removeLast();
  }

  private Object top() {
    require(stack.size() > floor(), "nothing on the stack");
    return stack.getLast();
  }

  /// What lies below the last mark is out of reach.
  private int floor() {
    return marks.isEmpty() ? 0 : marks.getLast();
  }

  private Object[] popToMark() {
    require(!marks.isEmpty(), "no mark");
    List<Object> values = stack.subList(marks.removeLast(), stack.size());
    Object[] result = values.toArray();
    values.clear();
    return result;
  }

  private Object[] tuple(int size) {
    require(stack.size() - floor() >= size, "too little on the stack");
    List<Object> values = stack.subList(stack.size() - size, stack.size());
    Object[] result = values.toArray();
    values.clear();
    return result;
  }

  private Object remembered(long index) {
    require(memo.containsKey(index), "no number %d in the memo", index);
    return memo.get(index);
  }

  // ---- operations

  private void setItems(Object[] items) {
    if (items.length % 2 != 0 || !(top() instanceof Map<?, ?>)) {
      throw fail("items for " + shown(top()), "pairs for a dictionary");
    }
    Map<String, Object> map = dictionary(top());
    for (int i = 0; i < items.length; i += 2) {
      if (!(items[i] instanceof String key)) {
        throw fail(String.format(Locale.ROOT, "%s as a key", shown(items[i])), "a string");
      }
      if (map.containsKey(key)) {
        throw fail(
            String.format(Locale.ROOT, "the key %s twice", Printable.quoted(key)), "each key once");
      }
      map.put(key, items[i + 1]);
    }
  }

  /// Python's `__setstate__`, of which a state dictionary has one harmless use.
  private void build() {
    Object state = pop();
    if (!(top() instanceof Map)
        || !(state instanceof Map<?, ?> map)
        || !map.keySet().stream().allMatch(METADATA::equals)) {
      throw fail("a state for " + shown(top()), METADATA + " of a dictionary");
    }
  }

  private Object global() {
    String name = line() + " " + line();
    Object global = names.global(name);
    if (global == null) {
      throw fail(
          "the name " + Printable.quoted(name.replace(' ', '.')),
          "those of tensors and dictionaries: files that name anything else are refused");
    }
    return global;
  }

  private void reduce() {
    Object arguments = pop();
    Object callable = pop();
    require(callable instanceof Callable, "a call of %s", shown(callable));
    require(arguments instanceof Object[], "%s as arguments", shown(arguments));
    push(((Callable) callable).call((Object[]) arguments));
  }

  // ---- the program's bytes

  private void need(long bytes) {
    require(bytes <= program.length - position, "it ends within an operation");
  }

  private int u8() {
    require(position < program.length, "it ends without a stop");
    return program[position++] & 0xff;
  }

  /// An unsigned number of 1 to 4 bytes.
  private long little(int bytes) {
    need(bytes);
    long value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << 8 | program[position + i] & 0xff;
    }
    position += bytes;
    return value;
  }

  /// A signed number with its length before it.
  private long longNumber() {
    int bytes = u8();
    require(bytes <= Long.BYTES, "a number of %d bytes", bytes);
    need(bytes);
    long value = bytes == 0 ? 0 : program[position + bytes - 1]; // the sign
    for (int i = bytes - 2; i >= 0; i--) {
      value = value << 8 | program[position + i] & 0xff;
    }
    position += bytes;
    return value;
  }

  private String text() {
    long bytes = little(4);
    if (bytes > program.length - position) {
      throw fail(String.format(Locale.ROOT, "a string of %d bytes", bytes), "it within the pickle");
    }
    return utf8((int) bytes);
  }

  private String line() {
    int end = position;
    while (end < program.length && program[end] != '\n' && end - position <= MAX_NAME_BYTES) {
      end++;
    }
    require(end < program.length, "it ends within a name");
    require(end - position <= MAX_NAME_BYTES, "a name of more than %d bytes", MAX_NAME_BYTES);
    String line = utf8(end - position);
    position++;
    return line;
  }

  private String utf8(int bytes) {
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(program, position, bytes))
              .toString();
      position += bytes;
      return text;
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("a string that is no UTF-8", e);
    }
  }

  // ---- messages

  @SuppressWarnings("unchecked") // made by EMPTY_DICT or a Callable, filled by setItems only
  private static Map<String, Object> dictionary(Object map) {
    return (Map<String, Object>) map;
  }

  private static void require(boolean sound, String problem, Object... values) {
    if (!sound) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, problem, values));
    }
  }

  /// A value as messages show it.
  static String shown(Object value) {
    return switch (value) {
      case null -> "nothing";
      case String s -> Printable.quoted(s);
      case Map<?, ?> _ -> "a dictionary";
      case Object[] _ -> "a tuple";
      case Long n -> "the number " + n;
      case Boolean b -> b.toString();
      case Callable _ -> "a function";
      default -> "a " + value.getClass().getSimpleName();
    };
  }

  private CheckpointException fail(String actual, String expected) {
    return new CheckpointException(
        String.format(
            Locale.ROOT, "%s: byte %d: %s, expected %s", file, position, actual, expected));
  }
}
