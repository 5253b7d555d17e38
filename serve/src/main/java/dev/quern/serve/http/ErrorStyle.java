package dev.quern.serve.http;

import java.util.LinkedHashMap;
import java.util.Map;

/// How a protocol writes an error.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface ErrorStyle {
  /// OpenAI's: `{"error": {"message", "type", "param", "code"}}`.
  ErrorStyle OPENAI =
      failure -> {
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("message", failure.getMessage());
        error.put("type", failure.type());
        error.put("param", failure.param().orElse(null));
        error.put("code", failure.code());
        return Map.of("error", error);
      };

  /// @return values as JSON has them
  Map<String, Object> body(HttpFailure failure);
}
