package dev.quern.llama.constrain;

import java.util.List;

/// A recursive transition network (Woods, "Transition network grammars", 1970): nondeterministic
/// automata over bytes, one for each rule, that call each other. State 0 begins the whole.
///
/// @param edges of each state, the bytes that lead on
/// @param silent of each state, those that it is as good as
/// @param calls of each state
/// @param ends whether a state ends its rule
record Grammar(
    List<List<Edge>> edges, List<List<Integer>> silent, List<List<Call>> calls, boolean[] ends) {
  /// @param first byte, 0 to 255
  /// @param last byte, included
  record Edge(int first, int last, int to) {}

  /// @param rule its first state
  /// @param back where it goes on behind the rule's end
  /// @param weight by which the depth grows, 0 or 1
  record Call(int rule, int back, int weight) {}

  int states() {
    return ends.length;
  }
}
