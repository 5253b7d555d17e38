package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// A field that is a text, several, a text's tokens, or those of several.
final class TextInputs {
  private static final String EXPECTED =
      "a string, an array of strings, token ids, or arrays of token ids";

  private TextInputs() {}

  /// The tokens of each.
  ///
  /// @param most texts
  /// @param vocabulary how many token ids there are
  /// @param encode a text's tokens
  static List<int[]> read(
      JsonFields f, String name, int most, int vocabulary, Function<String, int[]> encode) {
    JsonNode given = f.any(name).orElseThrow(() -> f.missing(name, EXPECTED));
    if (given.isTextual()) {
      return List.of(encode.apply(given.textValue()));
    }
    if (!given.isArray()) {
      throw f.wrong(name, EXPECTED);
    }
    List<JsonNode> all = f.array(name);
    if (all.isEmpty() || all.size() > most && !all.getFirst().isNumber()) {
      throw f.wrong(name, String.format(Locale.ROOT, "1 to %d texts", most));
    }
    if (all.getFirst().isNumber()) {
      return List.of(f.tokens(name, vocabulary));
    }
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      JsonNode one = all.get(i);
      if (one.isTextual()) {
        texts.add(encode.apply(one.textValue()));
      } else if (one.isArray()) {
        texts.add(f.tokens(name, i, vocabulary));
      } else {
        throw f.wrong(name, EXPECTED);
      }
    }
    return texts;
  }
}
