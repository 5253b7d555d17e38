package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A constraint over a vocabulary: of each state of its automaton, the tokens that may follow.
/// Thread-safe.
final class TokenMasks {
  private static final int MAX_MASKS = 512; // 8 MB of 128,256 tokens

  /// Most ways to read a text (see [Automaton]) in all states that one mask comes by. Tokens of
  /// several bytes that are not reached with these are left out; those of one byte always are.
  private static final int MAX_WORK = 200_000;

  private static final int MAX_PLAIN_STATES = 4;

  private final Automaton automaton;
  private final TokenTexts tokens;
  private final Automaton.State[] path; // where the walk is, by depth
  private final List<Automaton.State> masked = new ArrayList<>();
  private long walks;

  /// @throws RequestException if the vocabulary can spell no text that the grammar allows
  TokenMasks(Grammar grammar, TokenTexts tokens) {
    this.tokens = tokens;
    automaton = new Automaton(grammar, tokens.bytes());
    path = new Automaton.State[tokens.all().longest() + 1];
    Automaton.State start = automaton.start();
    if (!start.goesOn()) {
      throw new RequestException(
          start.isAccepting()
              ? "constraint: allows the empty text alone, expected something to generate"
              : "constraint: no text that fits it can be spelled with this vocabulary, expected one");
    }
  }

  Automaton.State start() {
    synchronized (automaton) {
      return automaton.start();
    }
  }

  int vocabularySize() {
    return tokens.vocabularySize();
  }

  /// The state behind a token's bytes; not possible where they may not follow.
  Automaton.State next(Automaton.State state, byte[] bytes) {
    synchronized (automaton) {
      Automaton.State at = state;
      for (byte b : bytes) {
        at = automaton.next(at, b);
      }
      return at;
    }
  }

  /// The tokens that may follow, without those that end a text: a bit for each of the vocabulary.
  /// Not to be changed.
  long[] allowed(Automaton.State state) {
    synchronized (automaton) {
      if (state.mask == null) {
        if (masked.size() >= MAX_MASKS) {
          masked.forEach(s -> s.mask = null);
          masked.clear();
        }
        state.mask = mask(state);
        masked.add(state);
      }
      return state.mask;
    }
  }

  private long[] mask(Automaton.State from) {
    if (allowsPlain(from)) {
      long[] mask = tokens.plain().clone();
      walk(from, tokens.others(), mask);
      return mask;
    }
    long[] mask = new long[tokens.plain().length];
    walk(from, tokens.all(), mask);
    return mask;
  }

  /// Whether all texts of up to [TokenTexts#PLAIN] plain bytes may follow.
  private boolean allowsPlain(Automaton.State from) {
    Set<Automaton.State> level = Set.of(from);
    for (int i = 0; i < TokenTexts.PLAIN; i++) {
      Set<Automaton.State> next = new HashSet<>();
      for (Automaton.State state : level) {
        for (int b = 0; b < 0x80; b++) {
          if (TokenTexts.isPlain(b)) {
            Automaton.State behind = automaton.next(state, (byte) b);
            if (!behind.isPossible()) {
              return false;
            }
            next.add(behind);
          }
        }
      }
      if (next.size() > MAX_PLAIN_STATES) {
        return false;
      }
      if (next.equals(level)) {
        return true;
      }
      level = next;
    }
    return true;
  }

  private void walk(Automaton.State from, TokenTrie trie, long[] mask) {
    walks++;
    for (int node = 0; node < trie.nodes(); node = trie.end(node)) {
      if (automaton.next(from, trie.label(node)).isPossible()) {
        trie.set(node, mask);
      }
    }
    int work = 0;
    path[0] = from;
    for (int node = 0; node < trie.nodes() && work < MAX_WORK; ) {
      int depth = trie.depth(node);
      Automaton.State state = automaton.next(path[depth - 1], trie.label(node));
      if (!state.isPossible()) {
        node = trie.end(node);
        continue;
      }
      if (state.walk != walks) {
        state.walk = walks;
        work += state.ways();
      }
      trie.set(node, mask);
      path[depth] = state;
      node++;
    }
    Arrays.fill(path, null);
  }
}
