package dev.quern.llama.constrain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The deterministic automaton of a grammar (a pushdown automaton, with a stack for each way to
/// read the text so far), made as far as texts go. From each of its states a text of the grammar
/// can be completed. What was made is kept up to a bound, and then forgotten and made anew.
///
/// For one thread at a time.
final class Automaton {
  /// Deepest that rules which count may nest.
  static final int MAX_DEPTH = 64;

  /// Ways to read a text that are kept at once. Each can be completed, so a text that none of them
  /// allows is merely not written.
  static final int MAX_WAYS = 512;

  private static final int MAX_STATES = 20_000;
  private static final int MAX_ALL_WAYS = 500_000;

  /// Where a rule goes on, and what is below.
  private static final class Stack {
    final int back;
    final Stack below; // null at the bottom
    final int depth;
    final int hash;

    Stack(int back, Stack below, int depth) {
      this.back = back;
      this.below = below;
      this.depth = depth;
      hash = 31 * (below == null ? 0 : below.hash) + back;
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      Stack a = this;
      Stack b = other instanceof Stack s ? s : null;
      while (a != b) {
        if (a == null || b == null || a.hash != b.hash || a.back != b.back) {
          return false;
        }
        a = a.below;
        b = b.below;
      }
      return true;
    }
  }

  /// A way to read the text so far.
  ///
  /// @param stack null where no rule was called
  private record Way(int state, Stack stack) {
    int depth() {
      return stack == null ? 0 : stack.depth;
    }

    @Override
    public int hashCode() {
      return 31 * state + (stack == null ? 0 : stack.hash);
    }
  }

  /// All ways to read the text so far.
  static final class State {
    private final List<Way> ways; // those that go on with a byte
    private final boolean accepting;
    private final boolean possible;
    private State[] next; // of each class of bytes; null until they are made
    long[] mask; // the tokens that may follow, as TokenMasks keeps them; null until it is made
    long walk; // of TokenMasks, that came by last

    private State(List<Way> ways, boolean accepting) {
      this.ways = ways;
      this.accepting = accepting;
      possible = accepting || !ways.isEmpty();
    }

    /// Whether the text so far is one of the grammar.
    boolean isAccepting() {
      return accepting;
    }

    /// Whether a text of the grammar goes on from here.
    boolean goesOn() {
      return !ways.isEmpty();
    }

    /// Whether a text of the grammar begins with the text so far.
    boolean isPossible() {
      return possible;
    }

    /// How much work its transitions are.
    int ways() {
      return ways.size();
    }
  }

  /// What makes states the same.
  private record Key(Set<Way> ways, boolean accepting) {}

  private final Grammar grammar;
  private final int[] need;
  private final byte[] classes = new byte[256]; // of a byte: 0 for those that lead nowhere
  private final byte[] representatives = new byte[256]; // a byte of each class
  private int classCount;
  private final Map<Key, State> states = new HashMap<>();
  private final State impossible = new State(List.of(), false);
  private int allWays;

  /// @param bytes that there are
  Automaton(Grammar grammar, BitSet bytes) {
    this.grammar = grammar;
    need = Need.of(grammar, bytes);
    classify(bytes);
  }

  /// Before the first byte; impossible where the grammar has no text.
  State start() {
    Closure closure = new Closure();
    closure.add(new Way(0, null));
    return closure.state();
  }

  /// The state behind a byte; impossible where it may not follow.
  State next(State state, byte b) {
    int c = classes[b & 0xff] & 0xff;
    State[] all = state.next;
    State next = all == null ? null : all[c];
    return next == null ? made(state, c) : next;
  }

  private State made(State state, int c) {
    State next = c == 0 ? impossible : make(state, representatives[c] & 0xff);
    if (state.next == null) { // or all was forgotten meanwhile
      state.next = new State[classCount];
    }
    state.next[c] = next;
    return next;
  }

  private State make(State state, int b) {
    Closure closure = new Closure();
    for (Way way : state.ways) {
      for (Grammar.Edge e : grammar.edges().get(way.state)) {
        if (e.first() <= b && b <= e.last()) {
          closure.add(new Way(e.to(), way.stack));
        }
      }
      if (closure.isFull()) {
        break;
      }
    }
    return closure.state();
  }

  /// Bytes that no edge tells apart are one class.
  private void classify(BitSet bytes) {
    BitSet cuts = new BitSet(257);
    cuts.set(0);
    grammar
        .edges()
        .forEach(edges ->
            edges.forEach(e -> {
              cuts.set(e.first());
              cuts.set(e.last() + 1);
            }));
    classCount = 1;
    for (int from = 0; from < 256; from = cuts.nextSetBit(from + 1)) {
      int to = cuts.nextSetBit(from + 1);
      to = to < 0 ? 256 : to;
      int first = bytes.nextSetBit(from);
      if (first >= 0 && first < to) {
        for (int b = first; b >= 0 && b < to; b = bytes.nextSetBit(b + 1)) {
          classes[b] = (byte) classCount;
        }
        representatives[classCount++] = (byte) first;
      }
      if (to == 256) {
        return;
      }
    }
  }

  private void forget() {
    states
        .values()
        .forEach(s -> {
          s.next = null;
          s.mask = null;
        });
    states.clear();
    allWays = 0;
  }

  /// All ways that are as good as some.
  private final class Closure {
    private final Set<Way> seen = new HashSet<>();
    private final Deque<Way> open = new ArrayDeque<>();
    private final List<Way> ways = new ArrayList<>();
    private boolean accepting;

    /// Adds a way, unless it can't be completed.
    void add(Way first) {
      visit(first.state, first.stack);
      while (!open.isEmpty()) {
        Way way = open.remove();
        int state = way.state;
        if (!grammar.edges().get(state).isEmpty()) {
          ways.add(way);
        }
        for (int to : grammar.silent().get(state)) {
          visit(to, way.stack);
        }
        for (Grammar.Call c : grammar.calls().get(state)) {
          if (fits(c.back(), way.depth())) {
            visit(c.rule(), new Stack(c.back(), way.stack, way.depth() + c.weight()));
          }
        }
        if (grammar.ends()[state]) {
          if (way.stack == null) {
            accepting = true;
          } else {
            visit(way.stack.back, way.stack.below);
          }
        }
      }
    }

    private void visit(int state, Stack stack) {
      Way way = new Way(state, stack);
      if (fits(state, way.depth()) && seen.add(way)) {
        open.add(way);
      }
    }

    private boolean fits(int state, int depth) {
      return need[state] <= MAX_DEPTH - depth; // NO_WAY never does
    }

    boolean isFull() {
      return ways.size() >= MAX_WAYS;
    }

    State state() {
      if (ways.isEmpty() && !accepting) {
        return impossible;
      }
      Key key = new Key(new HashSet<>(ways), accepting);
      State known = states.get(key);
      if (known != null) {
        return known;
      }
      if (states.size() >= MAX_STATES || allWays + ways.size() > MAX_ALL_WAYS) {
        forget();
      }
      allWays += ways.size();
      State made = new State(List.copyOf(ways), accepting);
      states.put(key, made);
      return made;
    }
  }
}
