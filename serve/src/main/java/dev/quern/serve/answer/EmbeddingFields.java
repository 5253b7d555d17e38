package dev.quern.serve.answer;

import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import java.util.Locale;
import java.util.OptionalInt;

/// What requests for vectors have in common.
public final class EmbeddingFields {
  /// Most texts of a request: OpenAI's bound.
  public static final int MOST_INPUTS = 2048;

  private EmbeddingFields() {}

  /// `dimensions`. Vectors are not cut: few models were trained to bear that.
  ///
  /// @throws HttpFailure 400 where it is not the model's width
  public static void requireWidth(JsonFields f, LoadedModel model) {
    int width = model.model().config().width();
    OptionalInt asked = f.integer("dimensions", 1, Integer.MAX_VALUE);
    if (asked.isPresent() && asked.getAsInt() != width) {
      throw f.wrong(
          "dimensions",
          String.format(Locale.ROOT, "%d, the model's width, or no such field", width));
    }
  }
}
