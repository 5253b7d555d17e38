package dev.quern.llama.constrain;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The texts of an expression, byte by byte.
final class Language {
  private final Automaton automaton;

  Language(Expression expression) {
    BitSet all = new BitSet(256);
    all.set(0, 256);
    automaton = new Automaton(GrammarBuilder.build(expression), all);
  }

  boolean has(String text) {
    Automaton.State state = automaton.start();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      state = automaton.next(state, b);
    }
    return state.isAccepting();
  }

  /// A text of up to `most` bytes, or none where chance found no end.
  Optional<String> text(RandomGenerator random, int most) {
    Automaton.State state = automaton.start();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    while (text.size() < most) {
      if (state.isAccepting() && (!state.goesOn() || random.nextInt(4) == 0)) {
        return Optional.of(text.toString(StandardCharsets.UTF_8));
      }
      Automaton.State from = state;
      int[] bytes =
          IntStream.range(0, 256)
              .filter(b -> automaton.next(from, (byte) b).isPossible())
              .toArray();
      if (bytes.length == 0) {
        if (state == automaton.start()) {
          return Optional.empty(); // there is no text at all
        }
        throw new AssertionError("no way on behind " + text.toString(StandardCharsets.UTF_8));
      }
      int b = bytes[random.nextInt(bytes.length)];
      text.write(b);
      state = automaton.next(state, (byte) b);
    }
    return Optional.empty();
  }
}
