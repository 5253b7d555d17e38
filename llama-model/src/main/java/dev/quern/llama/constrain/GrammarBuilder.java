package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Makes the automata of expressions (Thompson, "Regular expression search algorithm", 1968), with
/// a bound on their size.
final class GrammarBuilder {
  /// Most states and edges: some 30 MB.
  static final int MAX_SIZE = 300_000;

  private final List<List<Grammar.Edge>> edges = new ArrayList<>();
  private final List<List<Integer>> silent = new ArrayList<>();
  private final List<List<Grammar.Call>> calls = new ArrayList<>();
  private final List<Integer> ends = new ArrayList<>();
  private final Map<Expression.Rule, Integer> starts = new IdentityHashMap<>();
  private final Deque<Expression.Rule> unwritten = new ArrayDeque<>();
  private int size;

  private GrammarBuilder() {}

  /// @throws RequestException if the automaton would be too large
  static Grammar build(Expression expression) {
    GrammarBuilder b = new GrammarBuilder();
    b.rule(expression, b.state());
    while (!b.unwritten.isEmpty()) {
      Expression.Rule rule = b.unwritten.remove();
      b.rule(rule.text(), b.starts.get(rule));
    }
    return b.finished();
  }

  private void rule(Expression text, int start) {
    int end = state();
    ends.add(end);
    add(text, start, end);
  }

  private void add(Expression expression, int from, int to) {
    switch (expression) {
      case Expression.Text t -> addBytes(t.text().getBytes(StandardCharsets.UTF_8), from, to);
      case Expression.Special s -> addBytes(TokenTexts.special(s.token()), from, to);
      case Expression.Chars c -> new Utf8().add(c.set(), from, to);
      case Expression.Sequence s -> {
        int at = from;
        for (Expression part : s.parts()) {
          int next = state();
          add(part, at, next);
          at = next;
        }
        silent(at, to);
      }
      case Expression.Choice c -> c.options().forEach(option -> add(option, from, to));
      case Expression.Repeat r -> addRepeat(r, from, to);
      case Expression.Call c -> addCall(c.rule(), from, to);
      case Expression.Members m -> addMembers(m, from, to);
    }
  }

  private void addBytes(byte[] bytes, int from, int to) {
    int at = from;
    for (byte b : bytes) {
      int next = state();
      edge(at, b & 0xff, b & 0xff, next);
      at = next;
    }
    silent(at, to);
  }

  private void addRepeat(Expression.Repeat r, int from, int to) {
    int at = state(); // of its own: it may be come back to
    silent(from, at);
    for (int i = 0; i < r.min(); i++) {
      int next = state();
      add(r.part(), at, next);
      at = next;
    }
    if (r.max() == Expression.UNBOUNDED) {
      int loop = state();
      silent(at, loop);
      add(r.part(), loop, loop);
      at = loop;
    }
    silent(at, to);
    for (int i = r.min(); i < r.max(); i++) {
      int next = state();
      add(r.part(), at, next);
      silent(next, to);
      at = next;
    }
  }

  private void addCall(Expression.Rule rule, int from, int to) {
    grow();
    Integer start = starts.get(rule);
    if (start == null) {
      start = state();
      starts.put(rule, start);
      unwritten.add(rule);
    }
    calls.get(from).add(new Grammar.Call(start, to, rule.nests() ? 1 : 0));
  }

  /// Two chains: before anything was written, and behind something, where a separator comes first.
  private void addMembers(Expression.Members m, int from, int to) {
    int nothing = from;
    int some = state();
    for (Expression.Member member : m.members()) {
      int here = state();
      int behind = state();
      silent(nothing, here);
      add(m.separator(), some, here);
      add(member.text(), here, behind);
      int still = state();
      if (!member.required()) {
        silent(nothing, still);
        silent(some, behind);
      }
      nothing = still;
      some = behind;
    }
    int here = state();
    silent(nothing, here);
    add(m.separator(), some, here);
    add(m.further(), here, some);
    silent(nothing, to);
    silent(some, to);
  }

  private int state() {
    grow();
    edges.add(new ArrayList<>(1));
    silent.add(new ArrayList<>(1));
    calls.add(new ArrayList<>(0));
    return edges.size() - 1;
  }

  private void edge(int from, int first, int last, int to) {
    grow();
    edges.get(from).add(new Grammar.Edge(first, last, to));
  }

  private void silent(int from, int to) {
    grow();
    silent.get(from).add(to);
  }

  private void grow() {
    if (++size > MAX_SIZE) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "constraint: an automaton of more than %d states and edges, expected fewer: large repetitions or long lists; use smaller bounds or none",
              MAX_SIZE));
    }
  }

  /// Calls behind which nothing is left to do become part of the caller, so that rules that end
  /// with each other need no stack.
  private Grammar finished() {
    boolean[] isEnd = new boolean[edges.size()];
    ends.forEach(end -> isEnd[end] = true);
    for (int state = 0; state < calls.size(); state++) {
      List<Grammar.Call> kept = new ArrayList<>();
      for (Grammar.Call call : calls.get(state)) {
        if (isEnd[behind(call.back())]) {
          silent.get(state).add(call.rule());
        } else {
          kept.add(call);
        }
      }
      calls.set(state, kept);
    }
    return new Grammar(edges, silent, calls, isEnd);
  }

  /// Where a state leads without any choice.
  private int behind(int state) {
    int at = state;
    while (edges.get(at).isEmpty() && calls.get(at).isEmpty() && silent.get(at).size() == 1) {
      at = silent.get(at).getFirst();
      if (at == state) {
        return at;
      }
    }
    return at;
  }

  /// Characters as bytes. The ends of characters that share their last bytes are shared.
  private final class Utf8 {
    private final Map<Grammar.Edge, Integer> shared = new HashMap<>();

    void add(CodePoints set, int from, int to) {
      for (CodePoints.Range r : set.ranges()) {
        split(r.first(), r.last(), from, to);
      }
    }

    /// Splits a range until all of it has the same number of bytes, of which all but the first that
    /// differ take any value (Cox, "Regular expression matching in the wild", 2010).
    private void split(int first, int last, int from, int to) {
      for (int limit : new int[] {0x7f, 0x7ff, 0xffff}) {
        if (first <= limit && last > limit) {
          split(first, limit, from, to);
          split(limit + 1, last, from, to);
          return;
        }
      }
      for (int bits = 6; first > 0x7f && bits < 24; bits += 6) {
        int low = (1 << bits) - 1;
        if ((first & ~low) != (last & ~low)) {
          if ((first & low) != 0) {
            split(first, first | low, from, to);
            split((first | low) + 1, last, from, to);
            return;
          }
          if ((last & low) != low) {
            split(first, (last & ~low) - 1, from, to);
            split(last & ~low, last, from, to);
            return;
          }
        }
      }
      bytes(first, last, from, to);
    }

    private void bytes(int first, int last, int from, int to) {
      byte[] low = Character.toString(first).getBytes(StandardCharsets.UTF_8);
      byte[] high = Character.toString(last).getBytes(StandardCharsets.UTF_8);
      int next = to;
      for (int i = low.length - 1; i > 0; i--) {
        Grammar.Edge edge = new Grammar.Edge(low[i] & 0xff, high[i] & 0xff, next);
        Integer before = shared.get(edge);
        if (before == null) {
          before = state();
          edge(before, edge.first(), edge.last(), edge.to());
          shared.put(edge, before);
        }
        next = before;
      }
      edge(from, low[0] & 0xff, high[0] & 0xff, next);
    }
  }
}
