package dev.quern.llama.constrain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;

/// How deep calls must nest at the least from each state of a grammar to its rule's end, with the
/// bytes that there are. Who goes only where that fits in the depth that is left never comes to a
/// place without a way on.
final class Need {
  /// Of a state that has no way to its rule's end.
  static final int NO_WAY = Integer.MAX_VALUE;

  private final Grammar grammar;
  private final BitSet bytes;
  private final int[] need;
  private final List<List<Integer>> before; // states whose need a state's takes part in
  private final Deque<Integer> changed = new ArrayDeque<>();

  private Need(Grammar grammar, BitSet bytes) {
    this.grammar = grammar;
    this.bytes = bytes;
    need = new int[grammar.states()];
    Arrays.fill(need, NO_WAY);
    before = new ArrayList<>(need.length);
    for (int i = 0; i < need.length; i++) {
      before.add(new ArrayList<>(2));
    }
  }

  /// @param bytes that tokens can spell
  /// @return for each state, or [#NO_WAY]
  static int[] of(Grammar grammar, BitSet bytes) {
    Need n = new Need(grammar, bytes);
    n.link();
    for (int state = 0; state < n.need.length; state++) {
      if (grammar.ends()[state]) {
        n.need[state] = 0;
        n.changed.add(state);
      }
    }
    while (!n.changed.isEmpty()) {
      n.before.get(n.changed.remove()).forEach(n::look);
    }
    return n.need;
  }

  private void link() {
    for (int state = 0; state < need.length; state++) {
      for (Grammar.Edge e : grammar.edges().get(state)) {
        if (isPossible(e)) {
          before.get(e.to()).add(state);
        }
      }
      for (int to : grammar.silent().get(state)) {
        before.get(to).add(state);
      }
      for (Grammar.Call c : grammar.calls().get(state)) {
        before.get(c.back()).add(state);
        before.get(c.rule()).add(state);
      }
    }
  }

  private boolean isPossible(Grammar.Edge edge) {
    int next = bytes.nextSetBit(edge.first());
    return next >= 0 && next <= edge.last();
  }

  private void look(int state) {
    int least = need[state];
    for (Grammar.Edge e : grammar.edges().get(state)) {
      if (isPossible(e)) {
        least = Math.min(least, need[e.to()]);
      }
    }
    for (int to : grammar.silent().get(state)) {
      least = Math.min(least, need[to]);
    }
    for (Grammar.Call c : grammar.calls().get(state)) {
      if (need[c.rule()] != NO_WAY) {
        least = Math.min(least, Math.max(c.weight() + need[c.rule()], need[c.back()]));
      }
    }
    if (least < need[state]) {
      need[state] = least;
      changed.add(state);
    }
  }
}
