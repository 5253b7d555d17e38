package dev.quern.llama.tokenizer;

import java.util.Locale;
import java.util.Optional;

/// Where a SentencePiece vocabulary puts a space before text. GGUF has a flag for the first two;
/// the others are Hugging Face's `Metaspace`, by its names, and in GGUF a key of Quern's own.
enum SpacePrefix {
  /// Nowhere (Gemma).
  NEVER,
  /// At the start, and behind each special token (Llama 2, Phi-3).
  EACH,
  /// The same where the text does not begin with a space.
  ALWAYS,
  /// At the start of the whole input alone, where the text does not begin with a space (Mistral).
  FIRST;

  /// Whether text at that place gets a space.
  boolean applies(String text, TextEncoder.Place place) {
    return switch (this) {
      case NEVER -> false;
      case EACH -> place != TextEncoder.Place.WITHIN;
      case ALWAYS -> place != TextEncoder.Place.WITHIN && !beginsWithSpace(text);
      case FIRST -> place == TextEncoder.Place.START && !beginsWithSpace(text);
    };
  }

  private static boolean beginsWithSpace(String text) {
    return text.startsWith(" ") || text.startsWith("\u2581");
  }

  /// As the metadata has it.
  ///
  /// @param flag `add_space_prefix`
  /// @param own Quern's key
  /// @throws TokenizerException where the key holds another text
  static Optional<SpacePrefix> of(Optional<Boolean> flag, Optional<String> own) {
    if (own.isEmpty()) {
      return flag.map(each -> each ? EACH : NEVER);
    }
    return Optional.of(
        switch (own.get()) {
          case "always" -> ALWAYS;
          case "first" -> FIRST;
          default ->
              throw new TokenizerException(
                  String.format(
                      Locale.ROOT,
                      "%s = %s, expected always or first",
                      Keys.SPACE_PREFIX,
                      TokenizerException.quote(own.get())));
        });
  }

  /// The value of Quern's own key, if it takes one.
  Optional<String> own() {
    return this == ALWAYS || this == FIRST
        ? Optional.of(name().toLowerCase(Locale.ROOT))
        : Optional.empty();
  }
}
