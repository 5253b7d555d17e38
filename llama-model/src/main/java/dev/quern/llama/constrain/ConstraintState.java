package dev.quern.llama.constrain;

import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Locale;
import java.util.Set;

/// How far one text has come in a [Constraint]. For one thread.
///
/// @since 0.1
/// @stability api
public final class ConstraintState {
  private final TokenMasks masks;
  private final Tokenizer tokenizer;
  private final Set<Integer> ends;
  private final long[] withEnds; // scratch
  private Automaton.State state;

  ConstraintState(TokenMasks masks, Tokenizer tokenizer, Set<Integer> ends) {
    this.masks = masks;
    this.tokenizer = tokenizer;
    this.ends = ends;
    state = masks.start();
    withEnds = new long[(masks.vocabularySize() + 63) / 64];
  }

  /// One as far as this, which goes its own way.
  public ConstraintState copy() {
    ConstraintState copy = new ConstraintState(masks, tokenizer, ends);
    copy.state = state;
    return copy;
  }

  /// The tokens that may come next: those whose bytes go on towards a text that fits, and the ends
  /// where the text fits as it is. There always is one, unless the text fits, nothing may follow
  /// it, and there are no ends.
  ///
  /// @return a bit for each token of the vocabulary, the lowest of the first element for token 0;
  ///   valid until the next call, not to be changed
  public long[] allowed() {
    long[] allowed = masks.allowed(state);
    if (!state.isAccepting() || ends.isEmpty()) {
      return allowed;
    }
    System.arraycopy(allowed, 0, withEnds, 0, allowed.length);
    ends.forEach(token -> withEnds[token >> 6] |= 1L << token);
    return withEnds;
  }

  /// Goes on behind a token of the text.
  ///
  /// @throws IllegalArgumentException if its bytes may not follow
  public void accept(int token) {
    byte[] bytes = TokenTexts.of(tokenizer, token);
    Automaton.State next = bytes.length > 0 ? masks.next(state, bytes) : null;
    if (next == null || !next.isPossible()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "constraint: token id %d, expected one that may follow", token));
    }
    state = next;
  }

  /// Whether the text fits as it is.
  public boolean isAccepting() {
    return state.isAccepting();
  }

  /// Whether the text fits, and would not with anything behind it.
  public boolean isComplete() {
    return !state.goesOn();
  }
}
