package dev.quern.serve.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// JSON of strangers in, and ours out.
public final class Json {
  /// Nobody nests a request or a schema deeper; the constraints' own bound is 64.
  private static final int DEEPEST = 128;

  private static final int LONGEST_NUMBER = 100; // digits
  private static final int LONGEST_NAME = 1024;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEEPEST)
                          .maxNumberLength(LONGEST_NUMBER)
                          .maxNameLength(LONGEST_NAME)
                          .maxStringLength(Integer.MAX_VALUE) // the body's limit is one
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private Json() {}

  /// The object that a body is.
  ///
  /// @throws HttpFailure 400 where it is no UTF-8, no JSON, nested too deeply, or no object
  static ObjectNode object(byte[] body) {
    JsonNode read;
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
      read = MAPPER.readTree(text.toString());
    } catch (CharacterCodingException e) {
      throw bad("body: not UTF-8, expected JSON in UTF-8", e);
    } catch (JsonProcessingException e) {
      throw bad(
          String.format(
              Locale.ROOT,
              "body: not JSON: %s%s",
              Printable.message(e.getOriginalMessage()),
              e.getLocation() == null
                  ? ""
                  : String.format(
                      Locale.ROOT,
                      " (line %d, column %d)",
                      e.getLocation().getLineNr(),
                      e.getLocation().getColumnNr())),
          e);
    }
    if (read instanceof ObjectNode object) {
      return object;
    }
    throw bad("body: expected a JSON object", null);
  }

  private static HttpFailure bad(String message, Throwable cause) {
    return HttpFailure.of(400, "invalid_json", message).because(cause);
  }

  /// @param value a record, a map, or another value that Jackson writes
  public static byte[] bytes(Object value) {
    try {
      return MAPPER.writeValueAsBytes(value);
    } catch (IOException e) {
      throw new IllegalStateException("an answer that is no JSON: " + value, e);
    }
  }

  /// The text of a JSON value.
  public static String text(Object value) {
    return new String(bytes(value), StandardCharsets.UTF_8);
  }

  /// Maps, lists, strings, numbers, booleans and null.
  public static Object plain(JsonNode node) {
    return MAPPER.convertValue(node, Object.class);
  }
}
