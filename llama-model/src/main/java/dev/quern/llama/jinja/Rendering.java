package dev.quern.llama.jinja;

import java.util.BitSet;

/// What a template made.
///
/// @param given which characters (UTF-16) were given to the template; it wrote the others itself
public record Rendering(String text, BitSet given) {
  static Rendering of(Text text) {
    BitSet given = new BitSet(text.length());
    for (int i = 0; i < text.length(); i++) {
      given.set(i, text.origin().charAt(i) == Text.GIVEN);
    }
    return new Rendering(text.chars(), given);
  }
}
