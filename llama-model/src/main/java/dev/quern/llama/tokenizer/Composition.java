package dev.quern.llama.tokenizer;

import java.text.Normalizer;

/// Unicode's NFC, in linear time. Putting a run of marks in order takes the square of its length,
/// so a run longer than any language has is composed in pieces.
final class Composition {
  /// Far above the 30 that Unicode's Stream-Safe Text Format allows.
  private static final int MAX_MARKS = 200;

  private Composition() {}

  static String of(String text) {
    StringBuilder out = new StringBuilder(text.length());
    int from = 0;
    int marks = 0;
    for (int at = 0; at < text.length(); ) {
      int c = text.codePointAt(at);
      at += Character.charCount(c);
      marks = CharacterClasses.isMark(c) ? marks + 1 : 0;
      if (marks == MAX_MARKS) {
        out.append(Normalizer.normalize(text.substring(from, at), Normalizer.Form.NFC));
        from = at;
        marks = 0;
      }
    }
    return out.append(Normalizer.normalize(text.substring(from), Normalizer.Form.NFC)).toString();
  }
}
