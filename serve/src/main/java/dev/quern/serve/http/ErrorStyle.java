package dev.quern.serve.http;

import java.util.LinkedHashMap;
import java.util.Map;

/// How a protocol writes an error.
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

  /// Ollama's: `{"error": "..."}`.
  ErrorStyle OLLAMA = failure -> Map.of("error", failure.getMessage());

  /// @return values as JSON has them
  Map<String, Object> body(HttpFailure failure);
}
